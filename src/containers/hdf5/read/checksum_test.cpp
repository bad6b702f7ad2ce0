#include "containers/hdf5/read/checksum.h"

#include <doctest/doctest.h>

#include <string_view>

using namespace tieout;

namespace {

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("lookup3 is Bob Jenkins' (the values of driver5 in his lookup3.c)") {
  CHECK(hdf5::lookup3({}) == 0xdeadbeef);
  CHECK(hdf5::lookup3(bytes_of("Four score and seven years ago")) == 0x17770551);
}

TEST_CASE("fletcher32 takes words of 16 bits, high byte first, and folds its sums") {
  // "abcd": 0x6162 + 0x6364 = 0xc4c6; 0x6162 + 0xc4c6 = 0x12628, folded 0x2629.
  CHECK(hdf5::fletcher32(bytes_of("abcd")) == 0x2629c4c6);
  // An odd byte is a high one: 0xc4c6 + 0x6500 = 0x129c6, folded 0x29c7; 0x2629 + 0x129c6 = 0x14fef, folded
  // 0x4ff0.
  CHECK(hdf5::fletcher32(bytes_of("abcde")) == 0x4ff029c7);
  // 65535 is not 0.
  CHECK(hdf5::fletcher32(bytes_of("\xff\xff")) == 0xffffffff);
  CHECK(hdf5::fletcher32({}) == 0);
}
