// The same value in the two frameworks' axis orders.
#pragma once

#include <optional>

#include "model/model.h"
#include "tensor/array.h"

namespace tieout {

// `array`, which lies as `from` says, as `to` says. Axes are found by name, those inside a flattened axis
// too: "n (c h w)" -> "n (h w c)". Where exactly one plain axis has no namesake on each side, the two
// correspond
// ("n c" behind a pooling, "n f" behind a flatten). Nothing when the axes do not correspond otherwise, or
// `array` does not have the rank and the sizes of `from`.
std::optional<Array> to_layout(const Array& array, const Axes& from, const Axes& to);

}  // namespace tieout
