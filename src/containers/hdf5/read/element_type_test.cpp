#include "containers/hdf5/read/element_type.h"

#include <doctest/doctest.h>

#include "containers/hdf5/read/hand_made.h"

using namespace tieout;
using hdf5::ElementType;
using hdf5::HandMade;

namespace {

ElementType type_of(std::initializer_list<int> message, std::string_view behind = {}) {
  HandMade file;
  const std::uint64_t address = file.address();
  file.raw(message).text(behind);
  hdf5::Image image = file.image();
  hdf5::ElementTypes types(image);
  hdf5::Cursor body = image.from(address, {});
  return types.read(body, false, {});
}

// A float of 4 bytes: class bits, and the exponent's bias.
ElementType float_of(int bits, int bias) {
  return type_of({0x11, bits, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, bias, 0, 0, 0});
}

// An enumeration of 8 bits with two members, as h5py writes it (version 1: names padded to 8 bytes).
ElementType enumeration(std::string_view names_and_values) {
  return type_of({0x18, 2, 0, 0, 1, 0, 0, 0, 0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}, names_and_values);
}

}  // namespace

TEST_CASE("floats are those of IEEE 754, in either order of bytes") {
  CHECK(float_of(0x20, 127).number == DType::f32);
  CHECK_FALSE(float_of(0x20, 127).big_endian);
  CHECK(float_of(0x21, 127).number == DType::f32);
  CHECK(float_of(0x21, 127).big_endian);
  CHECK_FALSE(float_of(0x61, 127).number.has_value());  // the VAX's order
  CHECK_FALSE(float_of(0x00, 127).number.has_value());  // the leading one is stored
  CHECK_FALSE(float_of(0x20, 126).number.has_value());
  CHECK(type_of({0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0}).number ==
        DType::f16);
  // bfloat16 as a float of its own: no framework writes it so.
  CHECK_FALSE(
      type_of({0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 7, 8, 0, 7, 127, 0, 0, 0}).number.has_value());
}

TEST_CASE("integers fill their bytes") {
  CHECK(type_of({0x10, 0x08, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0}).number == DType::i16);
  CHECK(type_of({0x10, 0x01, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0}).number == DType::u64);
  CHECK_FALSE(type_of({0x10, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}).big_endian);
  CHECK_FALSE(type_of({0x10, 0x08, 0, 0, 2, 0, 0, 0, 0, 0, 12, 0}).number.has_value());
  CHECK_FALSE(type_of({0x10, 0x08, 0, 0, 3, 0, 0, 0, 0, 0, 24, 0}).number.has_value());
}

TEST_CASE("h5py's booleans, and other enumerations") {
  using namespace std::string_view_literals;
  CHECK(enumeration("FALSE\0\0\0TRUE\0\0\0\0\0\1"sv).number == DType::boolean);
  CHECK(enumeration("TRUE\0\0\0\0FALSE\0\0\0\1\0"sv).number == DType::boolean);
  CHECK_FALSE(enumeration("FALSE\0\0\0TRUE\0\0\0\0\1\0"sv).number.has_value());
  CHECK_FALSE(enumeration("NO\0\0\0\0\0\0YES\0\0\0\0\0\0\1"sv).number.has_value());
  CHECK_THROWS_AS(enumeration("FALSE"), Error);
}

TEST_CASE("types that cannot be") {
  CHECK_THROWS_AS(type_of({0x1b, 0, 0, 0, 4, 0, 0, 0}), Error);  // class 11
  CHECK_THROWS_AS(type_of({0x00, 0, 0, 0, 4, 0, 0, 0}), Error);  // version 0
  CHECK_THROWS_AS(type_of({0x13, 0, 0, 0, 0, 0, 0, 0}), Error);  // texts of no bytes: any number of them
}

TEST_CASE("opaque bytes are what their attribute says, if it fits") {
  const ElementType two = type_of({0x15, 0, 0, 0, 2, 0, 0, 0});
  CHECK(hdf5::dtype_of_opaque(two, "bfloat16") == DType::bf16);
  CHECK_FALSE(hdf5::dtype_of_opaque(two, "float8_e5m2").has_value());
  CHECK_FALSE(hdf5::dtype_of_opaque(two, "float16").has_value());
  CHECK_FALSE(hdf5::dtype_of_opaque(float_of(0x20, 127), "bfloat16").has_value());
}
