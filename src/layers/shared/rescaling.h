// Keras' Rescaling and Normalization hold their numbers in the config: plain ones, or (nested) lists.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

// A number as a double, the fallback for null; a flat or nested list of several numbers as it is, of one
// number as that number. NumPy arrays come as {"class_name": "__numpy__", "config": {"value": [...]}}.
// Error(malformed) for anything else.
Json number_or_list(const Json& setting, double fallback);

// The array of a number or a nested list; Error(malformed) when it is ragged.
Array array_of(const Json& number_or_list);
// The nested list; without the outermost axes of size 1.
Json nested_list(const Array& array);

// The numbers of a flat list over the source's `axes`, in the order in which the target has these axes
// (axes_in_target): as an array over the target's, ascending.
Array in_target_order(const Lowerer& lowerer, const Json& list);

// The array of `shape` (NumPy's broadcasting, aligned on the right) that `array` stands for; Error(malformed)
// when it does not fit.
Array broadcast_to(const Array& array, const Shape& shape);

// Adds the layer of the kind axis_rescaling for Keras' Rescaling with lists.
void lift_axis_rescaling(Lifter& lifter, const Json& scale, const Json& offset);

}  // namespace tieout
