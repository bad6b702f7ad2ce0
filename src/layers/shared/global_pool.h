// One number for each channel: the mean or the largest of all its cells.
//
//   x: n c s...   ->   y: n c, or n c 1... (setting keepdims)
//
// Adaptive pooling to one cell is the same; to more cells it is a pooling with even windows where the sizes
// divide, otherwise one of adaptive_pool.h.
#pragma once

#include "layers/shared/pool.h"

namespace tieout {

LayerKind global_pool_kind(std::size_t rank, PoolOf what);

}  // namespace tieout
