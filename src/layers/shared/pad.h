// Padding the spatial axes of an array.
#pragma once

#include <string>
#include <vector>

#include "layers/shared/spatial.h"
#include "tensor/array.h"

namespace tieout {

// x: n c s... -> n c (low + s + high)... Mode as in torch.nn.functional.pad: "zeros" or "constant" (filled
// with `value`), "reflect" (without the border), "symmetric" (with it), "replicate", "circular". Negative
// paddings crop ("zeros" only).
Array pad_spatial(const Array& x, const Paddings& paddings, const std::string& mode, double value);
// The same for an x whose axes lie otherwise: axis order[k] is axis k of n c s...
Array pad_along(const Array& x, const std::vector<int>& order, const Paddings& paddings,
                const std::string& mode, double value);

// The cell of an axis that the padding shows at a position, which is negative or behind the end; -1: none.
std::int64_t padded_from(std::int64_t at, std::int64_t size, const std::string& mode);

}  // namespace tieout
