// Whole modules: torch.save(model). A module is an object whose state is its __dict__
// (torch/nn/modules/module.py).
#pragma once

#include "formats/torch_pt/tensor_reader.h"
#include "model/framework_model.h"

namespace tieout::torch_pt {

// Whether the value is a module, of torch.nn or foreign.
bool is_module(const PickleNode& node);

// Fills name, inputs, nodes, outputs and tensors of `model`.
//   nn.Sequential, nested too, is descended: its modules in order, each the next one's input.
//   The transformer classes are their parts (transformers.h): self_attn, add1, norm1, linear1, ... "add1" and
//   an activation that is a function are nodes without a module.
//   Any other class of torch.nn is one node, however many modules are inside.
//   A foreign class is one node with its full name as class_name: its forward() is not in the file.
//   A module with forward hooks has them in its class_name ("Conv2d with
//   torch.nn.utils.weight_norm.WeightNorm"), since it computes something else than its class, and what an
//   only hook holds in its setting "_hook".
// Tensors are named as in state_dict(), in its order; buffers that are not persistent are left out.
void read_module(const PickleNode& root, Storages& storages, FrameworkModel& model);

}  // namespace tieout::torch_pt
