// torch.nn's transformer classes, taken apart into the modules inside them, in the order in which their
// forward() calls those (torch/nn/modules/transformer.py). Masks are arguments of the call, not of the
// module: a pickled one is called without.
#pragma once

#include <string>
#include <vector>

#include "containers/pickle/pickle_reader.h"
#include "model/framework_model.h"

namespace tieout::torch_pt {

// What the walk over modules does for each step of a forward().
class Steps {
 public:
  virtual ~Steps() = default;
  // Calls a submodule of `module`.
  virtual ValueRef call(const PickleNode& module, const std::string& name,
                        const std::vector<ValueRef>& inputs) = 0;
  // Calls a function: one of torch ("torch.add"), or what a class of torch.nn computes ("ReLU").
  virtual ValueRef apply(const std::string& class_name, const std::string& name,
                         const std::vector<ValueRef>& inputs) = 0;
};

// The names of what forward() takes: {"src"}, {"tgt", "memory"}, {"src", "tgt"}; empty for other classes.
std::vector<std::string> transformer_inputs(const PickleNode& module);

// Takes the module's steps. `inputs` are as many as transformer_inputs() says.
ValueRef walk_transformer(const PickleNode& module, const std::string& name,
                          const std::vector<ValueRef>& inputs, Steps& steps);

}  // namespace tieout::torch_pt
