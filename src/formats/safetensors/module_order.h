// The order of a PyTorch model's tensors, as far as a safetensors file tells it.
#pragma once

#include <vector>

#include "model/framework_model.h"

namespace tieout::safetensors {

// The safetensors library sorts tensors by data type, then by name (safetensors/src/tensor.rs, prepare), so
// that a state_dict's "2.weight" stands behind "10.bias". A file sorted so gets numbers in names counted ("2"
// before "10"), and in each module the weights before the biases, as torch.nn registers them. In any other
// file the order was chosen by its writer and stays.
std::vector<NamedTensor> in_module_order(const std::vector<NamedTensor>& tensors);

}  // namespace tieout::safetensors
