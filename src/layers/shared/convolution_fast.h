// Convolutions as products of matrices, without ever making the unfolded image. See convolution.h for shapes.
#pragma once

#include <optional>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

std::optional<std::vector<Array>> convolve_fast(const Evaluation& evaluation);
std::optional<std::vector<Array>> convolve_depthwise_fast(const Evaluation& evaluation);

}  // namespace tieout
