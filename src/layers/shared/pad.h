// Padding the spatial axes of an array.
#pragma once

#include <string>

#include "layers/shared/spatial.h"
#include "tensor/array.h"

namespace tieout {

// x: n c s... -> n c (low + s + high)... Mode as in torch.nn.functional.pad: "zeros" (filled with `value`),
// "reflect" (without the border), "replicate", "circular". Negative paddings crop ("zeros" only).
Array pad_spatial(const Array& x, const Paddings& paddings, const std::string& mode, double value);

}  // namespace tieout
