#include "tensor/cast.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "tieout/error.h"

namespace tieout {

namespace {

struct Layout {
  int exponent_bits;
  int mantissa_bits;
};

constexpr Layout double_layout{11, 52};

Layout layout_of(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return {5, 10};
    case DType::bf16:
      return {8, 7};
    case DType::f32:
      return {8, 23};
    default:
      return double_layout;
  }
}

// value / 2^shift, to nearest, ties to even.
std::uint64_t shifted(std::uint64_t value, int shift) {
  if (shift <= 0) return value;
  if (shift > 63) return 0;
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  const std::uint64_t rest = value & ((half << 1) - 1);
  const std::uint64_t whole = value >> shift;
  return whole + ((rest > half || (rest == half && (whole & 1U) != 0)) ? 1 : 0);
}

std::uint64_t bits_of(double value, Layout to, bool& overflows) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t mantissa = bits & ((std::uint64_t{1} << double_layout.mantissa_bits) - 1);
  const int exponent = static_cast<int>((bits >> double_layout.mantissa_bits) & 0x7FF);
  const std::uint64_t sign = (bits >> 63) << (to.exponent_bits + to.mantissa_bits);
  const std::uint64_t infinity = ((std::uint64_t{1} << to.exponent_bits) - 1) << to.mantissa_bits;
  const int narrower = double_layout.mantissa_bits - to.mantissa_bits;
  if (exponent == 0x7FF) {
    // The quiet bit, so that what is left of a NaN's mantissa is never an infinity.
    const std::uint64_t quiet = std::uint64_t{1} << (to.mantissa_bits - 1);
    return sign | infinity | (mantissa == 0 ? 0 : quiet | (mantissa >> narrower));
  }
  const int bias = (1 << (to.exponent_bits - 1)) - 1;
  const int shifted_exponent = exponent - 1023 + bias;
  const std::uint64_t digits =
      mantissa | (exponent == 0 ? 0 : std::uint64_t{1} << double_layout.mantissa_bits);
  // Subnormal in `to`: the digits move right until the exponent fits. Rounding up carries into the exponent.
  std::uint64_t magnitude = 0;
  if (shifted_exponent <= 0) {
    magnitude = shifted(digits, narrower + 1 - shifted_exponent);
  } else {
    magnitude =
        shifted(digits, narrower) + (static_cast<std::uint64_t>(shifted_exponent - 1) << to.mantissa_bits);
  }
  if (magnitude >= infinity) overflows = true;
  return sign | magnitude;
}

double load(DType dtype, const std::byte* element) {
  if (dtype == DType::f32) {
    float value = 0;
    std::memcpy(&value, element, sizeof(value));
    return value;
  }
  return to_double(dtype, element);
}

// Elements of `from`, behind one another, as elements of `to`.
void convert(Bytes elements, DType from, DType to, std::span<std::byte> out) {
  const Layout layout = layout_of(to);
  const std::size_t step_in = size_of(from);
  const std::size_t step_out = size_of(to);
  const std::size_t count = elements.size() / step_in;
  bool overflows = false;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = load(from, elements.data() + i * step_in);
    const std::uint64_t bits = layout.mantissa_bits == double_layout.mantissa_bits
                                   ? std::bit_cast<std::uint64_t>(value)
                                   : bits_of(value, layout, overflows);
    if (overflows) {
      throw unsupported(
          "the value " + std::to_string(value) + " is beyond the range of " + std::string(to_string(to)), {},
          "leave --dtype out, or choose a type of a wider range (bfloat16, float32)");
    }
    std::memcpy(out.data() + i * step_out, &bits, step_out);
  }
}

class CastSource : public TensorSource {
 public:
  CastSource(LazyTensor tensor, DType to) : tensor_(std::move(tensor)), to_(to) {}

  void read(std::span<std::byte> out) const override {
    if (const Bytes view = tensor_.source->view(); !view.empty()) {
      convert(view, tensor_.dtype, to_, out);
      return;
    }
    const std::uint64_t size = byte_count(tensor_.shape, tensor_.dtype);
    constexpr std::uint64_t most = std::uint64_t{1} << 22;
    std::vector<std::byte> buffer;
    for (const TensorPart& inner : tensor_.source->parts(size, most)) {
      const TensorPart part = outer(inner);
      buffer.resize(part.size());
      read_part(part, buffer);
      for (std::uint64_t k = 0; k < part.count; ++k)
        std::memcpy(out.data() + part.begin + k * part.stride, buffer.data() + k * part.run, part.run);
    }
  }

  [[nodiscard]] std::vector<TensorPart> parts(std::uint64_t size, std::uint64_t most) const override {
    const std::uint64_t inner_size = size / size_of(to_) * size_of(tensor_.dtype);
    // Both what is read and what it becomes are held.
    const std::uint64_t inner_most =
        std::max<std::uint64_t>(most / 2 / size_of(to_) * size_of(tensor_.dtype), 1);
    std::vector<TensorPart> parts;
    if (tensor_.source->viewed() == inner_size) {
      const std::uint64_t run =
          std::max<std::uint64_t>(inner_most / size_of(tensor_.dtype), 1) * size_of(tensor_.dtype);
      for (std::uint64_t begin = 0; begin < inner_size; begin += run)
        parts.push_back(outer({.begin = begin, .run = std::min(run, inner_size - begin)}));
      return parts;
    }
    for (const TensorPart& part : tensor_.source->parts(inner_size, inner_most)) parts.push_back(outer(part));
    return parts;
  }

  void read_part(const TensorPart& part, std::span<std::byte> out) const override {
    const TensorPart read = inner(part);
    if (const Bytes view = tensor_.source->view(); !view.empty()) {
      convert(view.subspan(read.begin, read.run), tensor_.dtype, to_, out);
      return;
    }
    thread_local std::vector<std::byte> buffer;
    if (buffer.size() < read.size()) buffer.resize(read.size());
    const auto filled = std::span(buffer).first(read.size());
    tensor_.source->read_part(read, filled);
    convert(filled, tensor_.dtype, to_, out);
  }

 private:
  // The same elements in the other type. Sources cut between elements, never inside one.
  static TensorPart scaled(TensorPart part, std::size_t from, std::size_t to) {
    for (std::uint64_t* bytes : {&part.begin, &part.run, &part.stride}) *bytes = *bytes / from * to;
    return part;
  }
  [[nodiscard]] TensorPart outer(const TensorPart& part) const {
    return scaled(part, size_of(tensor_.dtype), size_of(to_));
  }
  [[nodiscard]] TensorPart inner(const TensorPart& part) const {
    return scaled(part, size_of(to_), size_of(tensor_.dtype));
  }

  LazyTensor tensor_;
  DType to_;
};

}  // namespace

bool can_round(DType dtype) {
  return is_real_float(dtype);
}

std::optional<std::uint64_t> rounded(double value, DType to) {
  bool overflows = false;
  const std::uint64_t bits =
      to == DType::f64 ? std::bit_cast<std::uint64_t>(value) : bits_of(value, layout_of(to), overflows);
  return overflows ? std::nullopt : std::optional(bits);
}

LazyTensor cast(const LazyTensor& tensor, DType to) {
  if (tensor.dtype == to) return tensor;
  if (!can_round(tensor.dtype) || !can_round(to))
    throw internal_error("a cast between types that are no floats");
  LazyTensor result = tensor;
  result.dtype = to;
  result.source = std::make_shared<CastSource>(tensor, to);
  return result;
}

}  // namespace tieout
