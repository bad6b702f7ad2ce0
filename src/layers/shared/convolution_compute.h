// What a convolution computes, in plain loops. See convolution.h for shapes.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

std::vector<Array> compute_convolution(const Evaluation& evaluation);
std::vector<Array> compute_depthwise_convolution(const Evaluation& evaluation);

}  // namespace tieout
