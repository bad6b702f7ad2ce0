#include "tensor/dtype.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "tieout/error.h"

namespace tieout {

namespace {

struct Entry {
  DType dtype;
  std::size_t size;
  std::string_view name;
};

// In the order of the enumeration.
constexpr std::array<Entry, 20> entries{{{DType::boolean, 1, "bool"},
                                         {DType::u8, 1, "uint8"},
                                         {DType::i8, 1, "int8"},
                                         {DType::u16, 2, "uint16"},
                                         {DType::i16, 2, "int16"},
                                         {DType::u32, 4, "uint32"},
                                         {DType::i32, 4, "int32"},
                                         {DType::u64, 8, "uint64"},
                                         {DType::i64, 8, "int64"},
                                         {DType::f8_e4m3fn, 1, "float8_e4m3fn"},
                                         {DType::f8_e5m2, 1, "float8_e5m2"},
                                         {DType::f8_e4m3fnuz, 1, "float8_e4m3fnuz"},
                                         {DType::f8_e5m2fnuz, 1, "float8_e5m2fnuz"},
                                         {DType::f8_e8m0fnu, 1, "float8_e8m0fnu"},
                                         {DType::f16, 2, "float16"},
                                         {DType::bf16, 2, "bfloat16"},
                                         {DType::f32, 4, "float32"},
                                         {DType::f64, 8, "float64"},
                                         {DType::c64, 8, "complex64"},
                                         {DType::c128, 16, "complex128"}}};

constexpr auto dtypes = [] {
  std::array<DType, entries.size()> all{};
  std::ranges::transform(entries, all.begin(), &Entry::dtype);
  return all;
}();

const Entry& entry(DType dtype) {
  return entries.at(static_cast<std::size_t>(dtype));
}

template <typename T>
double load(const std::byte* element) {
  T value;
  std::memcpy(&value, element, sizeof(T));
  return static_cast<double>(value);
}

template <typename T>
void store(double value, std::byte* element) {
  const T typed = static_cast<T>(value);
  std::memcpy(element, &typed, sizeof(T));
}

// IEEE 754 binary formats with fewer bits: sign, exponent, mantissa.
double small_float(std::uint32_t bits, int exponent_bits, int mantissa_bits) {
  const std::uint32_t mantissa = bits & ((1U << mantissa_bits) - 1U);
  const std::uint32_t exponent = (bits >> mantissa_bits) & ((1U << exponent_bits) - 1U);
  const bool negative = ((bits >> (mantissa_bits + exponent_bits)) & 1U) != 0;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  double value = 0;
  if (exponent == (1U << exponent_bits) - 1U) {
    value = mantissa == 0 ? HUGE_VAL : std::nan("");
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<double>(mantissa), 1 - bias - mantissa_bits);
  } else {
    value = std::ldexp(static_cast<double>(mantissa | (1U << mantissa_bits)),
                       static_cast<int>(exponent) - bias - mantissa_bits);
  }
  return negative ? -value : value;
}

double bits16(const std::byte* element, int exponent_bits, int mantissa_bits) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, element, sizeof(bits));
  return small_float(bits, exponent_bits, mantissa_bits);
}

}  // namespace

std::size_t size_of(DType dtype) {
  return entry(dtype).size;
}

std::string_view to_string(DType dtype) {
  return entry(dtype).name;
}

std::span<const DType> all_dtypes() {
  return dtypes;
}

std::optional<DType> dtype_of_name(std::string_view name) {
  const auto* found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? std::nullopt : std::optional(found->dtype);
}

bool is_real_float(DType dtype) {
  return dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f32 || dtype == DType::f64;
}

double to_double(DType dtype, const std::byte* element) {
  switch (dtype) {
    case DType::boolean:
    case DType::u8:
      return load<std::uint8_t>(element);
    case DType::i8:
      return load<std::int8_t>(element);
    case DType::u16:
      return load<std::uint16_t>(element);
    case DType::i16:
      return load<std::int16_t>(element);
    case DType::u32:
      return load<std::uint32_t>(element);
    case DType::i32:
      return load<std::int32_t>(element);
    case DType::u64:
      return load<std::uint64_t>(element);
    case DType::i64:
      return load<std::int64_t>(element);
    case DType::f16:
      return bits16(element, 5, 10);
    case DType::bf16:
      return bits16(element, 8, 7);
    case DType::f32:
      return load<float>(element);
    case DType::f64:
      return load<double>(element);
    default:
      throw unsupported("elements of type " + std::string(to_string(dtype)) + " cannot be computed with");
  }
}

void store_constant(DType dtype, double value, std::byte* element) {
  if (value != 0.0 && value != 1.0) throw internal_error("a constant other than 0 and 1 in a plan");
  switch (dtype) {
    case DType::boolean:
    case DType::u8:
    case DType::i8:
      store<std::uint8_t>(value, element);
      return;
    case DType::u16:
    case DType::i16:
      store<std::uint16_t>(value, element);
      return;
    case DType::u32:
    case DType::i32:
      store<std::uint32_t>(value, element);
      return;
    case DType::u64:
    case DType::i64:
      store<std::uint64_t>(value, element);
      return;
    case DType::f32:
      store<float>(value, element);
      return;
    case DType::f64:
      store<double>(value, element);
      return;
    case DType::f16:
      store<std::uint16_t>(value == 0.0 ? 0 : 0x3C00, element);
      return;
    case DType::bf16:
      store<std::uint16_t>(value == 0.0 ? 0 : 0x3F80, element);
      return;
    default:
      throw unsupported("a constant of type " + std::string(to_string(dtype)) + " cannot be written");
  }
}

}  // namespace tieout
