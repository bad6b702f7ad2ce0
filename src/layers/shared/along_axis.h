// Axis numbers of either sign, and functions along one or several axes of an array.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tensor/array.h"

namespace tieout {

// The axis counted from 0. With rank 0 (not known) it is returned as it is. Error(malformed) when it is not
// in the rank.
std::int64_t checked_axis(std::int64_t axis, std::int64_t rank);

// Calls `change` with each row along the axes taken together, in row-major order; the axis may count from the
// end.
Array along_axes(const Array& x, const std::vector<int>& axes,
                 const std::function<void(double* row, std::int64_t size)>& change);
Array along_axis(const Array& x, std::int64_t axis,
                 const std::function<void(double* row, std::int64_t size)>& change);

}  // namespace tieout
