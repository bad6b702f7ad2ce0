#include "tensor/special_values.h"

#include <doctest/doctest.h>

#include <vector>

using namespace tieout;

namespace {

SpecialValues counted(DType dtype, const std::vector<int>& bytes) {
  std::vector<std::byte> elements;
  for (const int byte : bytes) elements.push_back(static_cast<std::byte>(byte));
  const auto count = static_cast<std::int64_t>(elements.size() / size_of(dtype));
  return special_values(make_tensor(dtype, {count}, elements));
}

}  // namespace

// Little-endian patterns by hand: infinity, -infinity, NaN, the largest number, -0.
TEST_CASE("infinities and NaN are counted in every float type") {
  const SpecialValues half =
      counted(DType::f16, {0x00, 0x7C, 0x00, 0xFC, 0x01, 0x7C, 0xFF, 0x7B, 0x00, 0x80});
  CHECK(half.infinite == 2);
  CHECK(half.nan == 1);
  CHECK(half.floats == 5);
  const SpecialValues single =
      counted(DType::f32, {0, 0, 0x80, 0x7F, 0, 0, 0xC0, 0xFF, 0xFF, 0xFF, 0x7F, 0x7F});
  CHECK(single.infinite == 1);
  CHECK(single.nan == 1);
  const SpecialValues complex = counted(DType::c64, {0, 0, 0x80, 0x7F, 0, 0, 0xC0, 0xFF});
  CHECK(complex.floats == 2);
  CHECK(complex.infinite == 1);
  CHECK(counted(DType::f8_e4m3fn, {0x7F, 0xFF, 0x7E, 0x80}).nan == 2);
  CHECK(counted(DType::f8_e5m2, {0x7C, 0xFD, 0x7B}).infinite == 1);
  CHECK(counted(DType::f8_e5m2, {0x7C, 0xFD, 0x7B}).nan == 1);
  CHECK(counted(DType::f8_e4m3fnuz, {0x80, 0x7F, 0xFF}).nan == 1);
}

TEST_CASE("integers have none") {
  CHECK(counted(DType::i32, {0, 0, 0x80, 0x7F}).floats == 0);
}
