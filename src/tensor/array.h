// Values as the interpreter computes them.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/shape.h"

namespace tieout {

// A dense row-major array of doubles.
struct Array {
  Shape shape;
  std::vector<double> data;

  Array() = default;
  explicit Array(Shape sizes) : shape(std::move(sizes)), data(element_count(shape), 0.0) {}

  [[nodiscard]] std::size_t rank() const { return shape.size(); }
  [[nodiscard]] std::int64_t size(std::size_t axis) const { return shape.at(axis); }
  [[nodiscard]] std::size_t count() const { return data.size(); }
};

// The array with its axes reordered: axis k of the result is axis order[k] of `array`.
Array permuted(const Array& array, const std::vector<int>& order);

}  // namespace tieout
