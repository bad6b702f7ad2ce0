#include "containers/hdf5/read/fractal_heap.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "containers/hdf5/read/btree2.h"
#include "containers/hdf5/read/checksum.h"

namespace tieout::hdf5 {

namespace {

constexpr std::uint64_t checksum_size = 4;
constexpr std::uint8_t checksummed_blocks = 0x02;  // flag of the header
// Longer ids can hold whole objects in another way; groups have 7 bytes, attributes 8.
constexpr std::size_t max_id = 17;
// Kinds of ids, in bits 4 and 5 of the first byte. A third kind holds an object in the id itself, which no
// link and no attribute is small enough for.
constexpr unsigned managed = 0;
constexpr unsigned large = 1;

unsigned log2_of(std::uint64_t power) {
  return static_cast<unsigned>(std::countr_zero(power));
}

// Bytes of a number below 2^bits.
std::uint64_t bytes_of_bits(unsigned bits) {
  return (bits + 7) / 8;
}

}  // namespace

FractalHeap::FractalHeap(Image& image, std::uint64_t address, const std::string& path)
    : image_(image), path_(path), address_(address) {
  read_header(address);
}

void FractalHeap::read_header(std::uint64_t address) {
  const Widths widths = image_.superblock().widths;
  Cursor start = image_.from(address, path_);
  start.expect("FRHP");
  start.expect_version(0, "a heap");
  start.skip(2);  // size of ids
  if (start.u16("size of the heap's filters") != 0)
    throw unsupported("an HDF5 file with compressed links or attributes", image_.where(path_, address),
                      copy_objects);
  // 12 lengths and 3 addresses; what else there is has one size in all files.
  const std::uint64_t size =
      22 + 12 * std::uint64_t{widths.length} + 3 * std::uint64_t{widths.address} + checksum_size;
  Cursor header = image_.checked_block(address, size, "FRHP", path_);
  header.skip(1);
  id_size_ = header.u16("size of ids");
  header.skip(2);
  if (id_size_ < 2 || id_size_ > max_id)
    throw header.error(fmt::format("a heap with ids of {} bytes", id_size_));
  blocks_have_checksums_ = (header.u8("heap flags") & checksummed_blocks) != 0;
  max_object_ = header.u32("largest object");
  header.length("next number of a large object");
  large_objects_ = header.address("large objects");
  header.skip(widths.length + widths.address);    // free space
  header.skip(8 * std::uint64_t{widths.length});  // sizes and numbers of what is there
  read_table(header);
}

void FractalHeap::read_table(Cursor& header) {
  width_ = header.u16("width of the heap's table");
  start_ = header.length("smallest block");
  max_direct_ = header.length("largest block");
  offset_bits_ = header.u16("bits of an offset");
  header.skip(2);  // rows at first
  const std::uint64_t root = header.address("root block");
  const unsigned rows = header.u16("number of rows");
  if (!std::has_single_bit(width_) || !std::has_single_bit(start_) || !std::has_single_bit(max_direct_) ||
      start_ > max_direct_ || offset_bits_ > 63 || log2_of(max_direct_) > offset_bits_ ||
      log2_of(start_) + log2_of(width_) > offset_bits_ || rows > rows_of(std::uint64_t{1} << offset_bits_)) {
    throw header.error("a heap whose table cannot be");
  }
  if (root == no_address) return;
  if (rows == 0) {
    add_block({0, start_, root});
  } else {
    list_blocks({root, 0, rows});
  }
}

// Of a table that spans `size` bytes of the heap.
unsigned FractalHeap::rows_of(std::uint64_t size) const {
  const unsigned first_row = log2_of(start_) + log2_of(width_);
  return log2_of(size) < first_row ? 0 : log2_of(size) - first_row + 1;
}

// In the order of their offsets. Tables inside a table span less than it does, so that ends.
void FractalHeap::list_blocks(const Rows& root) {
  std::vector<Rows> open{root};
  while (!open.empty()) {
    const Rows rows = open.back();
    open.pop_back();
    list_rows(rows, open);
  }
  std::ranges::sort(blocks_, {}, &Block::offset);
}

void FractalHeap::list_rows(const Rows& rows, std::vector<Rows>& open) {
  const std::uint64_t address_size = image_.superblock().widths.address;
  const std::uint64_t children = std::uint64_t{rows.count} * width_;
  const std::uint64_t size =
      4 + 1 + address_size + bytes_of_bits(offset_bits_) + children * address_size + checksum_size;
  Cursor table = image_.checked_block(rows.address, size, "FHIB", path_);
  table.expect_version(0, "a heap's table");
  table.skip(address_size + bytes_of_bits(offset_bits_));  // the header's address, the offset
  std::uint64_t offset = rows.offset;
  for (unsigned row = 0; row < rows.count; ++row) {
    const std::uint64_t block_size = row == 0 ? start_ : start_ << (row - 1);
    for (unsigned column = 0; column < width_; ++column, offset += block_size) {
      const std::uint64_t child = table.address("block");
      if (child == no_address) continue;
      if (block_size <= max_direct_) {
        add_block({offset, block_size, child});
      } else {
        open.push_back({child, offset, rows_of(block_size)});
      }
    }
  }
}

void FractalHeap::add_block(const Block& block) {
  Cursor content = image_.block(block.address, block.size, path_);
  content.expect("FHDB");
  content.expect_version(0, "a heap's block");
  const bool ours = content.address("heap") == address_;
  if (!ours || content.number(bytes_of_bits(offset_bits_), "offset") != block.offset)
    throw content.error("a block of another heap");
  if (blocks_have_checksums_) {
    const std::uint64_t at = content.position();
    const std::uint32_t stated = content.u32("checksum");
    const Bytes whole = image_.bytes(block.address, block.size, path_);
    std::vector<std::byte> without(whole.begin(), whole.end());
    std::memset(without.data() + at, 0, checksum_size);  // as it was when the checksum was computed
    if (lookup3(without) != stated) throw content.error("the checksum of a heap's block is wrong");
  }
  blocks_.push_back(block);
}

Cursor FractalHeap::object(Bytes id) {
  const unsigned first = std::to_integer<unsigned>(id.front());
  const unsigned version = first >> 6U;
  const unsigned kind = (first >> 4U) & 3U;
  if (version == 0 && kind == managed) return managed_object(id.subspan(1), address_);
  if (version == 0 && kind == large) return large_object(id.subspan(1), address_);
  throw malformed(fmt::format("a heap id that begins with {:#x}", first), image_.where(path_, address_));
}

Cursor FractalHeap::managed_object(Bytes id, std::uint64_t id_address) {
  Cursor fields = image_.cursor(id, id_address, path_);
  const std::uint64_t offset = fields.number(bytes_of_bits(offset_bits_), "offset");
  const auto length_of_limit =
      static_cast<std::uint64_t>(std::bit_width(std::max<std::uint64_t>(max_object_, 1)) - 1) / 8 + 1;
  const std::uint64_t length =
      fields.number(std::min(bytes_of_bits(log2_of(max_direct_)), length_of_limit), "length");
  const auto behind = std::ranges::upper_bound(blocks_, offset, {}, &Block::offset);
  if (behind == blocks_.begin()) throw fields.error("an object that is not in its heap");
  const Block& block = *std::prev(behind);
  const std::uint64_t inside = offset - block.offset;
  if (inside > block.size || length > block.size - inside)
    throw fields.error("an object that leaves its heap's block");
  return image_.block(block.address + inside, length, path_);
}

Cursor FractalHeap::large_object(Bytes id, std::uint64_t id_address) {
  const Widths widths = image_.superblock().widths;
  Cursor fields = image_.cursor(id, id_address, path_);
  if (id.size() >= std::size_t{widths.address} + widths.length) {
    const std::uint64_t address = fields.address("large object");
    return image_.block(address, fields.length("size of a large object"), path_);
  }
  if (!large_) {
    large_.emplace();
    walk_btree2(image_, large_objects_, Btree2::large_objects, path_, [this](Cursor& record) {
      Block object{};
      object.address = record.address("large object");
      object.size = record.length("size of a large object");
      large_->emplace(record.length("number of a large object"), object);
    });
  }
  const auto found =
      large_->find(fields.number(std::min<std::size_t>(id.size(), 8), "number of a large object"));
  if (found == large_->end()) throw fields.error("a large object that is not in its heap");
  return image_.block(found->second.address, found->second.size, path_);
}

}  // namespace tieout::hdf5
