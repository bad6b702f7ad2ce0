#include "containers/hdf5/read/chunk_array.h"

#include <fmt/format.h>

namespace tieout::hdf5 {

namespace {

constexpr std::uint64_t mask_size = 4;

}  // namespace

void ArrayEntries::check_kind(Cursor& block) const {
  block.expect_version(0, "an array of chunks");
  if ((block.u8("kind of entries") == 1) != kind_.filtered)
    throw block.error("an array of chunks of the wrong kind");
}

void ArrayEntries::take_entry_size(Cursor& header) {
  const std::uint64_t address_size = image_.superblock().widths.address;
  entry_size_ = header.u8("size of an entry");
  if (entry_size_ < address_size + (kind_.filtered ? mask_size : 0))
    throw header.error(fmt::format("an array of entries of {} bytes", entry_size_));
}

void ArrayEntries::take(Cursor& block, std::uint64_t first_slot, std::uint64_t count) {
  const std::uint64_t address_size = image_.superblock().widths.address;
  for (std::uint64_t slot = first_slot; slot < first_slot + count; ++slot) {
    ArrayEntry entry{slot, block.address("chunk"), kind_.chunk_size, 0};
    if (kind_.filtered) {
      entry.size = block.number(entry_size_ - address_size - mask_size, "size of a chunk");
      entry.mask = block.u32("filter mask");
    } else {
      block.skip(entry_size_ - address_size);
    }
    if (entry.address != no_address) entries_.push_back(entry);
  }
}

}  // namespace tieout::hdf5
