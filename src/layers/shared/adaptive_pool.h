// Pooling to a wanted number of windows, even or not.
//
//   x: n c s...   ->   y: n c s'...   the largest, or the mean, of the cells from floor(i s / s') to
//                                     ceil((i + 1) s / s')
//
// Setting of the layer: counts, the windows of each spatial axis. Where the sizes are known and divide it is
// an ordinary pooling, and to one cell a global one: global_pool.h reads the frameworks' classes.
#pragma once

#include "layers/shared/pool.h"

namespace tieout {

LayerKind adaptive_pool_kind(std::size_t rank, PoolOf what);

}  // namespace tieout
