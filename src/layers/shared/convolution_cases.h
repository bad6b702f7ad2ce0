// Cases of the convolution kinds: both frameworks' defaults and the corners where they differ.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

std::vector<Case> convolution_cases(std::size_t rank, bool depthwise);

}  // namespace tieout
