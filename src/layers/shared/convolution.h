// Convolution over 1 to 3 spatial axes; the kinds conv1d, conv2d, conv3d and their depthwise forms are made
// of this.
//
//   x: n c s...   kernel: o i s... (i = c / groups)   bias: o   ->   y: n o s'...
//
// Settings of the layer: kernel, strides, dilation (one number for each spatial axis), padding ([low, high]
// each), padding_mode ("zeros", "reflect", "replicate", "circular"), groups, filters. Depthwise: kernel: c m
// s..., bias: (c m); output channel c * m + j comes from input channel c alone.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

LayerKind convolution_kind(std::size_t rank, bool depthwise);

}  // namespace tieout
