// Known ways to carry a convolution wrongly.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

std::vector<Mistake> convolution_mistakes(std::size_t rank, bool depthwise);

}  // namespace tieout
