#include "tensor/special_values.h"

#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace tieout {

namespace {

// An infinity has all bits of the exponent and none of the mantissa, a NaN has some of those (IEEE 754).
// Types of 8 bits that have no infinity have one pattern for NaN, with either sign where they have a sign for
// it (https://arxiv.org/abs/2209.05433; the "fnuz" types: 0x80 alone).
template <typename Bits>
void count_ieee(Bytes elements, Bits exponent, SpecialValues& counts) {
  constexpr Bits without_sign = std::numeric_limits<Bits>::max() / 2;
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
  for (std::size_t at = 0; at + sizeof(Bits) <= elements.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, elements.data() + at, sizeof(bits));
    bits = static_cast<Bits>(bits & without_sign);
    nan += bits > exponent ? 1 : 0;
    infinite += bits == exponent ? 1 : 0;
  }
  counts.nan += nan;
  counts.infinite += infinite;
  counts.floats += elements.size() / sizeof(Bits);
}

void count_patterns(Bytes elements, std::uint8_t mask, std::uint8_t nan, SpecialValues& counts) {
  for (const std::byte element : elements)
    counts.nan += (std::to_integer<std::uint8_t>(element) & mask) == nan ? 1 : 0;
  counts.floats += elements.size();
}

void count(Bytes elements, DType dtype, SpecialValues& counts) {
  switch (dtype) {
    case DType::f64:
    case DType::c128:
      return count_ieee<std::uint64_t>(elements, 0x7FF0000000000000, counts);
    case DType::f32:
    case DType::c64:
      return count_ieee<std::uint32_t>(elements, 0x7F800000, counts);
    case DType::bf16:
      return count_ieee<std::uint16_t>(elements, 0x7F80, counts);
    case DType::f16:
      return count_ieee<std::uint16_t>(elements, 0x7C00, counts);
    case DType::f8_e5m2:
      return count_ieee<std::uint8_t>(elements, 0x7C, counts);
    case DType::f8_e4m3fn:
      return count_patterns(elements, 0x7F, 0x7F, counts);
    case DType::f8_e4m3fnuz:
    case DType::f8_e5m2fnuz:
      return count_patterns(elements, 0xFF, 0x80, counts);
    case DType::f8_e8m0fnu:
      return count_patterns(elements, 0xFF, 0xFF, counts);
    default:
      return;
  }
}

}  // namespace

SpecialValues special_values(const LazyTensor& tensor) {
  constexpr std::uint64_t most = std::uint64_t{4} << 20;  // bytes at a time
  SpecialValues counts;
  if (const Bytes there = tensor.source->view(); !there.empty()) {
    count(there, tensor.dtype, counts);
    return counts;
  }
  std::vector<std::byte> buffer;
  for (const TensorPart& part : tensor.source->parts(byte_count(tensor.shape, tensor.dtype), most)) {
    buffer.resize(part.size());
    tensor.source->read_part(part, buffer);
    count(buffer, tensor.dtype, counts);
  }
  return counts;
}

}  // namespace tieout
