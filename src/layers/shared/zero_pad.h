// Zeros around an image, or cells taken away from its sides.   x: n c s...   ->   y: n c (low + s + high)...
//
// Setting of the layer: padding, [low, high] for each spatial axis; negative numbers crop.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

LayerKind zero_pad_kind(std::size_t rank);

}  // namespace tieout
