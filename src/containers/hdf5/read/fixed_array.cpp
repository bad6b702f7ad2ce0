#include <algorithm>

#include <fmt/format.h>

#include "containers/hdf5/read/chunk_array.h"

namespace tieout::hdf5 {

namespace {

constexpr std::uint64_t checksum_size = 4;

class FixedArray {
 public:
  FixedArray(Image& image, std::uint64_t header, ArrayKind kind, std::uint64_t slots, const std::string& path)
      : image_(image), header_(header), slots_(slots), path_(path), entries_(image, kind) {}

  std::vector<ArrayEntry> read() {
    const Widths widths = image_.superblock().widths;
    const std::uint64_t size = 4 + 4 + std::uint64_t{widths.length} + widths.address + checksum_size;
    Cursor header = image_.checked_block(header_, size, "FAHD", path_);
    entries_.check_kind(header);
    entries_.take_entry_size(header);
    const std::uint8_t page_bits = header.u8("page size");
    const std::uint64_t slots = header.length("number of entries");
    if (slots != slots_ || slots > image_.size() || page_bits > 63)
      throw header.error(fmt::format("an array of {} chunks; {} were expected", slots, slots_));
    const std::uint64_t block = header.address("entries");
    if (block == no_address) return {};
    const std::uint64_t page = std::uint64_t{1} << page_bits;
    if (slots_ <= page) {
      read_block(block);
    } else {
      read_pages(block, page);
    }
    return entries_.release();
  }

 private:
  // What a block of entries has before what differs with and without pages.
  [[nodiscard]] std::uint64_t prefix_size() const {
    return 4 + 1 + 1 + std::uint64_t{image_.superblock().widths.address};
  }
  void read_prefix(Cursor& block) const {
    entries_.check_kind(block);
    if (block.address("header") != header_) throw block.error("the entries of another array");
  }

  void read_block(std::uint64_t address) {
    const std::uint64_t size = prefix_size() + slots_ * entries_.entry_size() + checksum_size;
    Cursor block = image_.checked_block(address, size, "FADB", path_);
    read_prefix(block);
    entries_.take(block, 0, slots_);
  }

  // The block then has a bit for each page that was written, highest bit first; the pages follow it, each
  // with a checksum.
  void read_pages(std::uint64_t address, std::uint64_t page) {
    const std::uint64_t pages = (slots_ + page - 1) / page;
    const std::uint64_t size = prefix_size() + (pages + 7) / 8 + checksum_size;
    Cursor block = image_.checked_block(address, size, "FADB", path_);
    read_prefix(block);
    const Bytes written = block.take((pages + 7) / 8, "pages");
    std::uint64_t at = address + size;
    for (std::uint64_t k = 0; k < pages; ++k) {
      const std::uint64_t first = k * page;
      const std::uint64_t count = std::min(page, slots_ - first);
      const std::uint64_t page_size = count * entries_.entry_size() + checksum_size;
      const bool is_written = (std::to_integer<unsigned>(written[k / 8]) & (0x80U >> (k % 8))) != 0;
      if (is_written) {
        Cursor content = image_.checked_block(at, page_size, {}, path_);
        entries_.take(content, first, count);
      }
      at += page_size;
    }
  }

  Image& image_;
  std::uint64_t header_;
  std::uint64_t slots_;
  const std::string& path_;
  ArrayEntries entries_;
};

}  // namespace

std::vector<ArrayEntry> read_fixed_array(Image& image, std::uint64_t header, ArrayKind kind,
                                         std::uint64_t slots, const std::string& path) {
  return FixedArray(image, header, kind, slots, path).read();
}

}  // namespace tieout::hdf5
