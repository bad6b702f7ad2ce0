#include "containers/hdf5/read/filters.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace tieout;
using hdf5::Filter;
using hdf5::Filters;

namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> made;
  for (const int value : values) made.push_back(static_cast<std::byte>(value));
  return made;
}

const Filter shuffle{Filter::Kind::shuffle, 2};
const Filter deflate{Filter::Kind::deflate};
const Filter fletcher32{Filter::Kind::fletcher32};

// zlib.compress(b"a" * 8), by Python.
const std::vector<std::byte> eight_a = bytes({0x78, 0x9c, 0x4b, 0x4c, 0x84, 0, 0, 0x0d, 0xac, 0x03, 0x09});

}  // namespace

TEST_CASE("shuffled bytes come back to their elements; what is no whole element stays last") {
  const Filters filters{shuffle};
  hdf5::Unfilter unfilter(filters, 5);
  CHECK(std::ranges::equal(unfilter.undo(bytes({1, 3, 2, 4, 9}), 0, {}), bytes({1, 2, 3, 4, 9})));
  CHECK(std::ranges::equal(unfilter.undo(bytes({1, 3, 2, 4, 9}), 1, {}), bytes({1, 3, 2, 4, 9})));
}

TEST_CASE("a chunk is inflated to its size, or refused") {
  const Filters filters{deflate};
  const Bytes stored = eight_a;
  CHECK(hdf5::Unfilter(filters, 8).undo(stored, 0, {}).size() == 8);
  CHECK_THROWS_WITH_AS(hdf5::Unfilter(filters, 7).undo(stored, 0, {}),
                       "a chunk that cannot be inflated to 7 bytes", Error);
  CHECK_THROWS_WITH_AS(hdf5::Unfilter(filters, 9).undo(stored, 0, {}),
                       "a chunk that cannot be inflated to 9 bytes", Error);
  CHECK_THROWS_AS(hdf5::Unfilter(filters, 8).undo(stored.first(9), 0, {}), Error);
}

TEST_CASE("a checksum before deflate is packed with the chunk") {
  // 0x6161 four times: 0x18584, folded 0x8585; 0x6161 + 0xc2c2 + 0x12423 + 0x18584 = 0x3cdca, folded 0xcdcd.
  const Filters behind{fletcher32};
  std::vector<std::byte> checked(8, std::byte{'a'});
  for (const std::byte value : bytes({0x85, 0x85, 0xcd, 0xcd})) checked.push_back(value);
  CHECK(hdf5::Unfilter(behind, 8).undo(checked, 0, {}).size() == 8);
  checked[2] = std::byte{'b'};
  CHECK_THROWS_WITH_AS(hdf5::Unfilter(behind, 8).undo(checked, 0, {}),
                       "the checksum of a chunk (fletcher32) is wrong", Error);
  // Eight bytes inflated are four of a chunk and a checksum, which is wrong here.
  const Filters before{fletcher32, deflate};
  CHECK_THROWS_WITH_AS(hdf5::Unfilter(before, 4).undo(eight_a, 0, {}),
                       "the checksum of a chunk (fletcher32) is wrong", Error);
}

TEST_CASE("what is stored bounds what a chunk can be") {
  CHECK(hdf5::can_hold({}, 0, 8, 8));
  CHECK_FALSE(hdf5::can_hold({}, 0, 9, 8));
  CHECK(hdf5::can_hold({fletcher32}, 0, 12, 8));
  CHECK(hdf5::can_hold({fletcher32}, 1, 8, 8));
  CHECK(hdf5::can_hold({deflate}, 0, 2, 2064));
  CHECK_FALSE(hdf5::can_hold({deflate}, 0, 2, 2065));
  CHECK_FALSE(hdf5::can_hold({deflate}, 1, 2, 2064));
}
