// The axes that an operator works along.
#pragma once

#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// "axis" as a number or a list, counted from 0 and in rising order; null: all. Refuses axes that are no
// numbers and inputs whose rank is not known.
std::vector<std::int64_t> read_axes(const Lifter& lifter, const Json& axis);
// One axis; refuses null and lists too.
std::int64_t read_axis(const Lifter& lifter, const Json& axis);

// The layer's setting "axes" or "axis" in the target's order, in rising order.
std::vector<std::int64_t> target_axes(const Lowerer& lowerer);

// Which axis of `framework`'s images, volumes and sequences has this number in the other framework's layout
// of them: in PyTorch (n c h w), number 1 is h in Keras (n h w c), which is 2 here.
std::int64_t axis_of_the_number(std::int64_t axis, std::int64_t rank, Framework framework);

// Mistake: the setting "axes" or "axis" was carried as a number, which is another axis in the other
// framework's layout.
Mistake other_layout_mistake(const std::string& message);

}  // namespace tieout
