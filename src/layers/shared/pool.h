// Pooling over 1 to 3 spatial axes; the kinds max_pool1d .. avg_pool3d are made of this.
//
//   x: n c s...   ->   y: n c s'...   the largest, or the mean, of each window
//
// Settings of the layer: kernel, strides (one number for each spatial axis), padding ([low, high] each). Max
// pooling: dilation, and "outside", what the padding holds: null for nothing (minus infinity). Average
// pooling: tail (cells behind the padding that a last window reaches and that never count: PyTorch's
// ceil_mode), count_padding (whether the padding's zeros count in the mean), divisor (null: the number of
// cells that count). same: the padding is TensorFlow's "same" for a size that is not known until the model
// runs; `padding` is then zeros.
#pragma once

#include "layers/layer_kind.h"
#include "layers/shared/spatial.h"

namespace tieout {

enum class PoolOf { maximum, mean };

LayerKind pool_kind(std::size_t rank, PoolOf what);

// Those settings of the lifter's node. `order` as image_order gives it.
Json read_pool(Lifter& lifter, const std::vector<int>& order, PoolOf what);

// The setting "padding", or with "same" what it is for these sizes of the spatial axes; Error(internal) when
// one is not known.
Paddings pool_padding(const Json& settings, const std::vector<std::int64_t>& sizes);

// What it computes, in plain loops.
std::vector<Array> compute_pool(const Evaluation& evaluation);
std::optional<std::vector<Array>> compute_pool_fast(const Evaluation& evaluation);

// A pooling to `counts` equal windows, as adaptive pooling has where the sizes divide: settings of such a
// pool layer.
Json even_pool(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& counts, PoolOf what);

}  // namespace tieout
