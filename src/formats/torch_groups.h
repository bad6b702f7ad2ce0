// The modules of a PyTorch file that holds tensors only, as far as the tensors' names tell.
#pragma once

#include <vector>

#include "model/framework_model.h"

namespace tieout {

// One node for each group of tensors with the same name before the last dot ("conv1" owns "conv1.weight"), in
// the order of first appearance, without class, settings and edges. A multi-head attention owns its output
// projection: beside "attn.in_proj_weight" or "attn.q_proj_weight", "attn.out_proj.weight" belongs to "attn".
std::vector<FrameworkNode> group_tensors(const std::vector<NamedTensor>& tensors);

// What a PyTorch file of `model` holds: the tensors that the nodes own, in the nodes' order, then the others.
// A tensor that two nodes own comes once.
std::vector<NamedTensor> tensors_to_write(const FrameworkModel& model);

}  // namespace tieout
