// More or fewer cells along the spatial axes.   x: n c s...   ->   y: n c s'...
//
// Settings of the layer: mode, antialias, align_corners as in Sampling (taps.h); and either "size", the new
// number of cells of each spatial axis, or "factors" (s' = floor(s factor), and a cell is 1 / factor wide).
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

LayerKind resample_kind(std::size_t rank);

// How the two frameworks say it (resample_write.cpp).
void write_keras_resampling(Lowerer& lowerer, std::size_t rank);
void write_torch_resampling(Lowerer& lowerer, std::size_t rank);

// One axis of a resampling layer.
struct Resized {
  std::int64_t out = 0;
  double ratio = 1;
};
// `unknown` output cells where the size is.
Resized resized(const Json& settings, std::size_t axis, std::int64_t size);

std::vector<Case> resample_cases(std::size_t rank);

}  // namespace tieout
