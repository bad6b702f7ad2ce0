// softmax and log_softmax along one axis, or along several together.   x: any shape   ->   y: the same
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

enum class SoftmaxOf { probability, logarithm };

LayerKind softmax_kind(SoftmaxOf what);

// The axes that PyTorch's dim (or its absence) or Keras' axis means, in the value's own order, counted from
// 0; from the end (negative) only while the rank is unknown.
std::vector<std::int64_t> softmax_axes(Lifter& lifter);

}  // namespace tieout
