// Kinds that normalise each sample over some of its axes, with parameters along these axes: the setting
// "axes" holds their numbers in the value's own order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// The axes that PyTorch's normalized_shape or Keras' axis (-1 by default) means, ascending; empty when the
// input's rank is not known. Error(malformed) when the shape does not fit the input.
std::vector<std::int64_t> normalised_axes(const Lifter& lifter);

// Their names and sizes, in the order in which gamma and beta have them.
struct Normalised {
  std::string pattern;
  AxisSizes sizes;
  std::string along;  // the one that is a flattened image
};

Normalised normalised(const Lifter& lifter, const std::vector<std::int64_t>& axes);

// The need of a target that has the axes of the setting "axes" last; the layer's orders must hold
// order_as_it_is.
LayoutNeed normalised_axes_last(const Layer& layer);

}  // namespace tieout
