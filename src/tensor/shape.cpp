#include "tensor/shape.h"

#include <limits>

#include "base/checked.h"
#include "tieout/error.h"

namespace tieout {

namespace {
constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
}

std::uint64_t element_count(const Shape& shape) {
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) throw malformed("a tensor has the negative size " + std::to_string(size));
    if (size == 0) {
      empty = true;
      continue;
    }
    const auto product = checked_mul(count, static_cast<std::uint64_t>(size));
    if (!product || *product > largest)
      throw malformed("the shape " + to_string(shape) + " overflows 63 bits");
    count = *product;
  }
  return empty ? 0 : count;
}

std::uint64_t byte_count(const Shape& shape, DType dtype) {
  const auto bytes = checked_mul(element_count(shape), size_of(dtype));
  if (!bytes || *bytes > largest) throw malformed("the shape " + to_string(shape) + " overflows 63 bits");
  return *bytes;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] == unknown ? "None" : std::to_string(shape[i]);
  }
  if (shape.size() == 1) text += ",";
  return text + ")";
}

}  // namespace tieout
