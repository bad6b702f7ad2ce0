// softmax and log_softmax along one axis.   x: any shape   ->   y: the same
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

enum class SoftmaxOf { probability, logarithm };

LayerKind softmax_kind(SoftmaxOf what);

}  // namespace tieout
