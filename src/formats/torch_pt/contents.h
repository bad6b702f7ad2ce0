// What the object of a PyTorch file holds, by path: torch.save takes any value, not only a state_dict.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/torch_pt/storages.h"
#include "tensor/lazy_tensor.h"

namespace tieout::torch_pt {

// What could be the model of a file.
struct Part {
  std::string path;                  // "state_dict", "models.0"; empty for the object itself
  std::optional<PickleNode> module;  // otherwise a dict of tensors
  // Its tensors are single numbers and states of random generators, as of a metric or a scheduler.
  bool is_small = false;
};

struct RefusedTensor {
  std::string name;
  Error error;
};

struct Contents {
  // By path, "optimizer_states.0.state.3.exp_avg", in file order: those in dicts, lists and tuples, and those
  // of modules' state_dict()s.
  std::vector<NamedTensor> tensors;
  std::vector<RefusedTensor> refused;  // Error(unsupported) of read_tensor
  std::set<std::string> of_optimizers;
  // Dicts that hold tensors themselves, and modules, but none of an optimizer, nor one inside a module. A
  // dict with tensors besides other parts is one only if some are more than small.
  std::vector<Part> parts;
};

// Values that are no tensors (epochs, learning rates, objects) are passed over. Error(malformed) when two
// tensors have one name, dicts or lists are nested more than 32 deep or hold themselves, or there are more
// values than any network has.
Contents read_contents(const PickleNode& root, Storages& storages);

}  // namespace tieout::torch_pt
