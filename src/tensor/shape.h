// Shapes and their sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace tieout {

// Sizes of the axes, outermost first. In the shape of a value of a model, `unknown` stands for the batch and
// for every size that only the input decides; the shape of a tensor in a file has none.
using Shape = std::vector<std::int64_t>;
constexpr std::int64_t unknown = -1;

// Product of the sizes; Error(malformed) when one is negative or the product leaves 63 bits.
std::uint64_t element_count(const Shape& shape);
// element_count x size_of, checked in the same way.
std::uint64_t byte_count(const Shape& shape, DType dtype);

// "(2, 3, None)", as both frameworks print shapes.
std::string to_string(const Shape& shape);

}  // namespace tieout
