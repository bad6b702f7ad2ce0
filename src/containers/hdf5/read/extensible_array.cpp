#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "containers/hdf5/read/chunk_array.h"
#include "containers/hdf5/read/layout.h"

namespace tieout::hdf5 {

namespace {

constexpr std::uint64_t checksum_size = 4;

// An array grows in blocks of entries, which are grouped: group g has 2^(g/2) blocks of 2^((g+1)/2) times the
// fewest entries. The first few entries, and the addresses of the first groups' blocks, stand in the index
// block; further groups ("super blocks") have a block of addresses of their own (H5EA__hdr_init,
// H5EA__iblock_alloc).
class ExtensibleArray {
 public:
  ExtensibleArray(Image& image, std::uint64_t header, ArrayKind kind, const std::string& path)
      : image_(image), header_(header), path_(path), entries_(image, kind) {}

  std::vector<ArrayEntry> read() {
    const Widths widths = image_.superblock().widths;
    const std::uint64_t size = 4 + 2 + 6 + 6 * std::uint64_t{widths.length} + widths.address + checksum_size;
    Cursor header = image_.checked_block(header_, size, "EAHD", path_);
    entries_.check_kind(header);
    entries_.take_entry_size(header);
    read_growth(header);
    header.skip(6 * std::uint64_t{widths.length});  // how many blocks and entries there are
    const std::uint64_t index = header.address("index block");
    if (index != no_address) read_index(index);
    return entries_.release();
  }

 private:
  void read_growth(Cursor& header) {
    constexpr unsigned max_bits = 62;
    slot_bits_ = header.u8("bits of a slot");
    in_index_ = header.u8("entries in the index block");
    fewest_ = header.u8("entries in the smallest block");
    const unsigned fewest_blocks = header.u8("addresses in the smallest group");
    const std::uint8_t page_bits = header.u8("page size");
    if (slot_bits_ > max_bits || page_bits > max_bits || !std::has_single_bit(fewest_) ||
        !std::has_single_bit(fewest_blocks) || slot_bits_ < log2_of(fewest_)) {
      throw header.error("an array that cannot grow as it says");
    }
    page_ = std::uint64_t{1} << page_bits;
    groups_ = 1 + slot_bits_ - log2_of(fewest_);
    groups_in_index_ = 2 * log2_of(fewest_blocks);
    if (groups_in_index_ > groups_) throw header.error("an array that cannot grow as it says");
  }

  static unsigned log2_of(unsigned power) { return static_cast<unsigned>(std::countr_zero(power)); }
  static std::uint64_t blocks_in(unsigned group) { return std::uint64_t{1} << (group / 2); }
  [[nodiscard]] std::uint64_t entries_in(unsigned group) const {
    return std::uint64_t{fewest_} << ((group + 1) / 2);
  }
  [[nodiscard]] std::uint64_t prefix_size() const {
    return 4 + 1 + 1 + std::uint64_t{image_.superblock().widths.address};
  }
  [[nodiscard]] std::uint64_t offset_size() const { return (slot_bits_ + 7) / 8; }

  Cursor open(std::uint64_t address, std::uint64_t size, std::string_view signature) {
    Cursor block = image_.checked_block(address, prefix_size() + size + checksum_size, signature, path_);
    entries_.check_kind(block);
    if (block.address("header") != header_) throw block.error("a block of another array");
    return block;
  }

  void read_index(std::uint64_t address) {
    std::uint64_t addresses = groups_ - groups_in_index_;
    for (unsigned group = 0; group < groups_in_index_; ++group) addresses += blocks_in(group);
    const std::uint64_t size =
        in_index_ * entries_.entry_size() + addresses * image_.superblock().widths.address;
    Cursor index = open(address, size, "EAIB");
    entries_.take(index, 0, in_index_);
    std::uint64_t slot = in_index_;
    for (unsigned group = 0; group < groups_; ++group) {
      if (group < groups_in_index_) {
        read_blocks(index, group, slot);
      } else if (const std::uint64_t more = index.address("group"); more != no_address) {
        read_group(more, group, slot);
      }
      slot += blocks_in(group) * entries_in(group);
    }
  }

  void read_group(std::uint64_t address, unsigned group, std::uint64_t slot) {
    if (entries_in(group) > page_)
      throw unsupported("a dataset of so many chunks that an HDF5 extensible array has pages",
                        image_.where(path_, address), store_plainly);
    const std::uint64_t size = offset_size() + blocks_in(group) * image_.superblock().widths.address;
    Cursor block = open(address, size, "EASB");
    block.skip(offset_size());
    read_blocks(block, group, slot);
  }

  void read_blocks(Cursor& addresses, unsigned group, std::uint64_t slot) {
    const std::uint64_t count = entries_in(group);
    for (std::uint64_t k = 0; k < blocks_in(group); ++k, slot += count) {
      const std::uint64_t address = addresses.address("block");
      if (address == no_address) continue;
      Cursor block = open(address, offset_size() + count * entries_.entry_size(), "EADB");
      block.skip(offset_size());
      entries_.take(block, slot, count);
    }
  }

  Image& image_;
  std::uint64_t header_;
  const std::string& path_;
  ArrayEntries entries_;
  unsigned slot_bits_ = 0;
  unsigned in_index_ = 0;
  unsigned fewest_ = 0;
  std::uint64_t page_ = 0;  // entries
  unsigned groups_ = 0;
  unsigned groups_in_index_ = 0;
};

}  // namespace

std::vector<ArrayEntry> read_extensible_array(Image& image, std::uint64_t header, ArrayKind kind,
                                              const std::string& path) {
  return ExtensibleArray(image, header, kind, path).read();
}

}  // namespace tieout::hdf5
