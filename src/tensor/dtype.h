// Element types, as both frameworks store them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tieout {

// Carried as they are; nothing here is ever converted unless the user asks.
enum class DType : std::uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,  // integers
  f8_e4m3fn,
  f8_e5m2,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f8_e8m0fnu,
  f16,
  bf16,
  f32,
  f64,
  c64,
  c128
};

// Bytes of one element.
std::size_t size_of(DType dtype);

// "float32", "bfloat16", ...: the name that numpy, torch and Keras share.
std::string_view to_string(DType dtype);

// Every type, in the order of the enumeration.
std::span<const DType> all_dtypes();

// The inverse of to_string.
std::optional<DType> dtype_of_name(std::string_view name);

// True for the types whose values the interpreter can compute with (16 to 64 bit floats).
bool is_real_float(DType dtype);

// The value of the element at `element`, which must point to size_of(dtype) bytes; complex types are refused
// with Error(unsupported).
double to_double(DType dtype, const std::byte* element);

// Writes `value` as an element of `dtype`; only 0 and 1 are asked for by plans (Error(internal) otherwise).
void store_constant(DType dtype, double value, std::byte* element);

}  // namespace tieout
