#include "base/crc32.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

#include "base/shared_crc.h"

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
  const std::vector<std::byte> zeros((std::size_t{9} << 20) + 5);
  CHECK(SharedCrc({crc32_of, crc32_joined}, zeros).value() == crc32_of(zeros));
}
