// Whole modules: torch.save(model). A module is an object whose state is its __dict__
// (torch/nn/modules/module.py).
#pragma once

#include <functional>
#include <string>

#include "containers/pickle/pickle_tree.h"
#include "model/framework_model.h"

namespace tieout::torch_pt {

// Whether the value is a module, of torch.nn or foreign.
bool is_module(const PickleNode& node);

// Visits the module's tensors, not read, with their names, as state_dict() names and orders them; buffers
// that are not persistent are left out.
using TensorVisit = std::function<void(const PickleNode& tensor, const std::string& name)>;
void each_tensor(const PickleNode& module, const TensorVisit& visit);

// Fills name, inputs, nodes and outputs of `model`. `prefix` stands before the tensors' names in the file.
//   nn.Sequential, nested too, is descended: its modules in order, each the next one's input.
//   The transformer classes are their parts (transformers.h): self_attn, add1, norm1, linear1, ... "add1" and
//   an activation that is a function are nodes without a module.
//   Any other class of torch.nn is one node, however many modules are inside.
//   A foreign class is one node with its full name as class_name: its forward() is not in the file.
//   A module with forward hooks has them in its class_name ("Conv2d with
//   torch.nn.utils.weight_norm.WeightNorm"), since it computes something else than its class, and what an
//   only hook holds in its setting "_hook".
//   A root that only passes on to one module (DataParallel) is that module.
void read_module(const PickleNode& root, const std::string& prefix, FrameworkModel& model);

}  // namespace tieout::torch_pt
