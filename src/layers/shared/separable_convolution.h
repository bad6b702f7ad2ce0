// Keras' SeparableConv1D and 2D: a depthwise convolution without bias, which has the strides, the padding and
// the dilation, and a convolution of 1 x 1 cells after it, which has the bias. Read as these two layers,
// NAME_depthwise and NAME_pointwise.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

void lift_separable_convolution(Lifter& lifter, std::size_t rank);

std::vector<Case> separable_convolution_cases(std::size_t rank);

}  // namespace tieout
