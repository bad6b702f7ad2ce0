#include "tensor/cast.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tieout/error.h"

using namespace tieout;

namespace {

std::uint64_t bits(double value, DType to) {
  const auto result = rounded(value, to);
  REQUIRE(result.has_value());
  return *result;
}

}  // namespace

// By hand from IEEE 754: binary16 has 10 digits and exponents from -14 to 15, bfloat16 7 digits.
TEST_CASE("floats are rounded to nearest, ties to even") {
  CHECK(bits(1.0, DType::f16) == 0x3C00);
  CHECK(bits(1.0 + 0x1p-11, DType::f16) == 0x3C00);      // a tie: the even one
  CHECK(bits(1.0 + 3 * 0x1p-11, DType::f16) == 0x3C02);  // a tie: the even one is above
  CHECK(bits(1.0 + 0x1p-11 + 0x1p-40, DType::f16) == 0x3C01);
  CHECK(bits(-1.0, DType::bf16) == 0xBF80);
  CHECK(bits(1.0 + 0x1p-8, DType::bf16) == 0x3F80);
  CHECK(bits(1.0 + 3 * 0x1p-8, DType::bf16) == 0x3F82);
  CHECK(bits(1.0 + 0x1p-24, DType::f32) == 0x3F800000);
  CHECK(bits(2.0 - 0x1p-11, DType::f16) == 0x4000);  // the carry reaches the exponent
  CHECK(bits(0.1, DType::f64) == 0x3FB999999999999A);
}

TEST_CASE("the ends of the range: subnormal, infinite and not a number") {
  CHECK(bits(0x1p-24, DType::f16) == 0x0001);
  CHECK(bits(0x1p-25, DType::f16) == 0x0000);  // a tie
  CHECK(bits(3 * 0x1p-25, DType::f16) == 0x0002);
  CHECK(bits(0x1p-14 - 0x1p-26, DType::f16) == 0x0400);  // rounds to the least normal number
  CHECK(bits(-0.0, DType::f16) == 0x8000);
  CHECK(bits(65504.0, DType::f16) == 0x7BFF);
  CHECK(bits(65519.99, DType::f16) == 0x7BFF);
  CHECK_FALSE(rounded(65520.0, DType::f16).has_value());
  CHECK_FALSE(rounded(1e39, DType::f32).has_value());
  CHECK(bits(std::numeric_limits<double>::infinity(), DType::f16) == 0x7C00);
  CHECK((bits(std::nan(""), DType::bf16) & 0x7FFF) == 0x7FC0);
  CHECK(bits(0x1p-149, DType::f32) == 1);
}

TEST_CASE("every 16 bit float comes back from the wider types") {
  for (const DType narrow : {DType::f16, DType::bf16}) {
    for (std::uint32_t pattern = 0; pattern <= 0xFFFF; ++pattern) {
      const auto half = static_cast<std::uint16_t>(pattern);
      std::array<std::byte, 2> element{};
      std::memcpy(element.data(), &half, sizeof(half));
      const double value = to_double(narrow, element.data());
      if (!std::isnan(value)) CHECK(bits(value, narrow) == pattern);
    }
  }
}

TEST_CASE("a tensor is rounded when it is read, whole or in parts") {
  constexpr std::int64_t count = 1000;
  std::vector<std::byte> elements(count * sizeof(float));
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(i) / 7;
    std::memcpy(elements.data() + static_cast<std::size_t>(i) * sizeof(float), &value, sizeof(float));
  }
  const LazyTensor half = cast(make_tensor(DType::f32, {count}, elements), DType::f16);
  const std::vector<std::byte> whole = half.load();
  REQUIRE(whole.size() == count * 2);
  std::vector<std::byte> joined(whole.size());
  const auto parts = half.source->parts(whole.size(), 256);
  CHECK(parts.size() > 3);
  for (const TensorPart& part : parts)
    half.source->read_part(part, std::span(joined).subspan(part.begin, part.size()));
  CHECK(joined == whole);
  CHECK(to_double(DType::f16, whole.data() + 2 * 7) == 1.0);
}

TEST_CASE("a value that the type cannot hold is refused when it is read") {
  const float large = 1e5F;
  std::vector<std::byte> element(sizeof(large));
  std::memcpy(element.data(), &large, sizeof(large));
  const LazyTensor half = cast(make_tensor(DType::f32, {1}, element), DType::f16);
  CHECK_THROWS_WITH_AS(half.load(), doctest::Contains("beyond the range of float16"), Error);
}
