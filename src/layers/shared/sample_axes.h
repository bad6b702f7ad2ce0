// Parameters that run along some axes of a sample and are the same along the others: PReLU's slopes, a
// normalisation's statistics, a scale for each channel.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Axes of input 0, by their numbers in the value's own order, ascending.
struct SampleAxes {
  std::vector<int> axes;
  std::string canonical;  // "h w c": their names
  std::string broadcast;  // "1 h w c" without the batch: as a tensor that is broadcast over samples
  AxisSizes sizes;
  std::string along;  // the one that is a flattened image, for Parameter::along
};

// `axes` of input 0, which must have its rank; those of size 1 are left out, since along them there is
// nothing to tell apart.
SampleAxes sample_axes(const Lifter& lifter, std::vector<int> axes);

// The same from the shape of a tensor that is broadcast over samples, for a layer whose input's rank is not
// known or not asked for: the one axis that is not 1 is "c", several are "a1 a2". `axes` are counted as if
// the shape had all of a sample's axes.
SampleAxes axes_of_shape(const std::vector<std::int64_t>& shape);
// For a class whose setting "shape" is such a shape. Error(malformed) when it does not fit the input.
SampleAxes axes_of_setting(const Lifter& lifter);

// Says what the axes are called where all others are shared: names the channels, and so the rest, where
// `axes` is the one axis of an input with a usual rank (3 to 5).
void name_channels(Lifter& lifter, const std::vector<int>& axes);

// Layer::orders for a kind whose `need` names places of the value: 0, 1, ...; empty when the rank is not
// known.
std::vector<std::vector<int>> order_as_it_is(const Lifter& lifter);

// Where the layer's setting "axes" lies in the target's input, in the order of the setting.
std::vector<int> axes_in_target(const Lowerer& lowerer);
// The sizes of the target's input without the batch, 1 where the axis is not in `axes`: the shape of a
// parameter that is broadcast over samples.
std::vector<std::int64_t> broadcast_shape(const Axes& input, const std::vector<int>& axes);

// f(x, place) for each element; `place` is where a row-major array over `axes` has the element that meets it.
Array with_places(const Array& x, const std::vector<int>& axes,
                  const std::function<double(double x, std::size_t place)>& f);

}  // namespace tieout
