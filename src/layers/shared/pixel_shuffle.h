// Blocks of r x r cells to as many channels, and back.
//
//   shuffle:   x: n (c i j) h w   ->   y: n c (h i) (w j)
//   unshuffle: x: n c (h i) (w j) ->   y: n (c i j) h w
//
// Settings: factor r; channels_first, the order of the joined channels: (c i j) as in PyTorch, or (i j c) as
// in TensorFlow.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

// Cells to channels is a kind for each order: where one is written as the other, the reordering stands behind
// it, and the two do not compute the same values.
enum class Shuffle { to_space, to_torch_depth, to_keras_depth };

LayerKind pixel_shuffle_kind(Shuffle direction);

}  // namespace tieout
