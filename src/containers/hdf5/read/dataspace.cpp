#include "containers/hdf5/read/dataspace.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.h"

namespace tieout::hdf5 {

namespace {

constexpr int max_rank = 32;             // H5S_MAX_RANK
constexpr std::uint8_t null_space = 2;   // of version 2's types
constexpr std::uint8_t states_most = 1;  // flag

std::uint64_t take_most(Cursor& body) {
  const std::uint64_t size = body.length("largest size of an axis");
  const std::uint64_t any = no_address >> (64U - 8U * body.widths().length);
  return size == any ? no_address : size;
}

}  // namespace

Dataspace read_dataspace(Cursor& body) {
  Dataspace space;
  const std::uint8_t version = body.u8("dataspace version");
  const std::uint8_t rank = body.u8("number of axes");
  const std::uint8_t flags = body.u8("dataspace flags");
  if (version == 1) {
    body.skip(5);
  } else if (version == 2) {
    space.null = body.u8("dataspace type") == null_space;
  } else {
    throw body.error(fmt::format("a dataspace of version {}; 1 and 2 are known", version));
  }
  if (rank > max_rank) throw body.error(fmt::format("{} axes; HDF5 has at most {}", rank, max_rank));
  for (int axis = 0; axis < rank; ++axis) space.sizes.push_back(body.length("size of an axis"));
  space.most = space.sizes;
  if ((flags & states_most) != 0) std::ranges::generate(space.most, [&] { return take_most(body); });
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (space.sizes[axis] > space.most[axis])
      throw body.error(
          fmt::format("an axis of {} that may be at most {}", space.sizes[axis], space.most[axis]));
  }
  return space;
}

std::uint64_t element_count(const Dataspace& space, const Cursor& at) {
  if (space.null || std::ranges::find(space.sizes, 0U) != space.sizes.end()) return 0;
  std::uint64_t count = 1;
  for (const std::uint64_t size : space.sizes) {
    const auto product = checked_mul(count, size);
    if (!product) throw at.error("a shape of more elements than can be counted");
    count = *product;
  }
  return count;
}

}  // namespace tieout::hdf5
