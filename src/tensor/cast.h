// Tensors in another element type, where the user asks for one.
#pragma once

#include <cstdint>
#include <optional>

#include "tensor/lazy_tensor.h"

namespace tieout {

// Types that tensors can be rounded to, and from: 16 to 64 bit floats.
bool can_round(DType dtype);

// The value in `to`, which can_round(), as its bits: rounded to nearest, ties to even (IEEE 754), with
// subnormal numbers, infinities and NaN kept. Nothing when a finite value is beyond the type's range.
std::optional<std::uint64_t> rounded(double value, DType to);

// `tensor` with its elements rounded to `to`, when they are read. Both types can_round(). Reading throws
// Error(unsupported) when a finite element is beyond the range of `to`. A tensor of that type is returned as
// it is.
LazyTensor cast(const LazyTensor& tensor, DType to);

}  // namespace tieout
