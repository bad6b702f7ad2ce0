// Windows of an image as columns, and columns summed back into an image.
//
//   unfold: x: n c h w            ->   y: n (c kh kw) (h' w')
//   fold:   x: n (c kh kw) (h' w') ->   y: n c h w       overlapping cells add up
//
// Settings: kernel, strides, dilation, padding (zeros on both sides), one number for each axis; fold: size,
// of the image.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

enum class Unfolding { unfold, fold };

LayerKind unfolding_kind(Unfolding direction);

}  // namespace tieout
