// Convolutions, depthwise ones too, in the words of either framework.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

void lower_convolution_to_torch(Lowerer& lowerer, std::size_t rank);
void lower_convolution_to_keras(Lowerer& lowerer, std::size_t rank);

// The PyTorch class, written into NAME.py, of a convolution with TensorFlow's "same" padding for inputs of
// any size.
std::string same_class(std::size_t rank);

}  // namespace tieout
