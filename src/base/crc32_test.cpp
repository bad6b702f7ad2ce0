#include "base/crc32.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

using namespace tieout;

namespace {

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

TEST_CASE("CRC-32 of a text, of nothing, and of two parts") {
  // The check value of CRC-32/ISO-HDLC: https://reveng.sourceforge.io/crc-catalogue/all.htm.
  const std::string_view digits = "123456789";
  CHECK(crc32_of(bytes_of(digits)) == 0xCBF43926U);
  CHECK(crc32_of({}) == 0);
  CHECK(crc32_of({}, 7) == 7);
  const std::uint32_t head = crc32_of(bytes_of(digits.substr(0, 4)));
  CHECK(crc32_of(bytes_of(digits.substr(4)), head) == 0xCBF43926U);
  CHECK(crc32_joined(head, crc32_of(bytes_of(digits.substr(4))), 5) == 0xCBF43926U);
  CHECK(crc32_joined(head, crc32_of({}), 0) == head);
}

TEST_CASE("CRC-32 of so much that several threads share it") {
  const std::vector<std::byte> zeros(std::size_t{9} << 20);
  std::uint32_t piecewise = 1;
  for (int k = 0; k < 9; ++k) piecewise = crc32_of(Bytes(zeros).first(std::size_t{1} << 20), piecewise);
  CHECK(crc32_of(zeros, 1) == piecewise);
}
