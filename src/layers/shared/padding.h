// Cells around an image, or cells taken away from its sides.
//
//   x: n c s...   ->   y: n c (low + s + high)...
//
// Settings of the layer: padding, [low, high] for each spatial axis (negative numbers crop, mode "constant"
// only); mode as in pad.h, with "constant" for "zeros" and "symmetric" (mirrored with the border) besides;
// value.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

LayerKind pad_kind(std::size_t rank);

std::vector<Case> pad_cases(std::size_t rank);

// A layer of this kind that crops, or puts zeros around, the spatial axes: for lifts that make one.
Json zero_padding(const Json& padding);

}  // namespace tieout
