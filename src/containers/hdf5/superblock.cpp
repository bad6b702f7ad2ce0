#include "containers/hdf5/superblock.h"

#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "containers/hdf5/read/checksum.h"

namespace tieout::hdf5 {

namespace {

constexpr std::array<unsigned char, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
constexpr std::uint8_t open_for_writing = 1;  // of the file consistency flags

std::optional<std::uint64_t> find_signature(Bytes bytes) {
  for (std::uint64_t at = 0; at + signature.size() <= bytes.size(); at = at == 0 ? 512 : at * 2) {
    if (std::memcmp(bytes.data() + at, signature.data(), signature.size()) == 0) return at;
  }
  return std::nullopt;
}

class SuperblockReader {
 public:
  SuperblockReader(Bytes bytes, const Where& where, std::uint64_t start)
      : bytes_(bytes), where_(where), cursor_(bytes, where, 0, {}) {
    block_.start = start;
    cursor_.seek(start + signature.size());
  }

  Superblock read() {
    const std::uint8_t version = cursor_.u8("superblock version");
    if (version <= 1) {
      read_old(version);
    } else if (version <= 3) {
      read_new(version);
    } else {
      throw cursor_.error(fmt::format("HDF5 superblock version {}; 0 to 3 are known", version));
    }
    return block_;
  }

 private:
  void read_old(std::uint8_t version) {
    cursor_.skip(4);  // versions of the free space, the root group; reserved; shared header messages
    take_widths();
    cursor_.skip(1 + 2 + 2 + 4);        // reserved, two B-tree sizes, flags
    if (version == 1) cursor_.skip(4);  // a third B-tree size, reserved
    const std::uint64_t base = cursor_.address("base address");
    cursor_.address("free space");
    take_end(base);
    if (cursor_.address("driver information") != no_address) {
      throw unsupported("an HDF5 file whose contents are spread over several files", where_, copy_objects);
    }
    cursor_.length("name of the root group");
    block_.root = cursor_.address("root group");
  }

  void read_new(std::uint8_t version) {
    take_widths();
    if (version == 3 && (cursor_.u8("flags") & open_for_writing) != 0) {
      throw cursor_.error("the HDF5 file was never closed by the program that wrote it");
    }
    if (version == 2) cursor_.skip(1);
    const std::uint64_t base = cursor_.address("base address");
    block_.extension = cursor_.address("superblock extension");
    take_end(base);
    block_.root = cursor_.address("root group");
    const Bytes covered = bytes_.subspan(block_.start, cursor_.position() - block_.start);
    if (cursor_.u32("checksum") != lookup3(covered))
      throw cursor_.error("the superblock's checksum is wrong");
  }

  void take_widths() {
    const std::uint8_t address = cursor_.u8("size of addresses");
    const std::uint8_t length = cursor_.u8("size of lengths");
    for (const std::uint8_t size : {address, length}) {
      if (size != 4 && size != 8)
        throw cursor_.error(fmt::format("addresses or lengths of {} bytes; 4 or 8 were expected", size));
    }
    block_.widths = {address, length};
    const std::uint64_t here = cursor_.position();
    cursor_ = Cursor(bytes_, where_, 0, block_.widths);
    cursor_.seek(here);
  }

  // The stated end counts from the stated base, which is wrong where a user block was put before the file
  // since (H5F__super_read takes it so too).
  void take_end(std::uint64_t base) {
    const std::uint64_t stated = cursor_.address("end of the file");
    if (stated < base || stated - base > no_address - block_.start)
      throw cursor_.error(
          fmt::format("a file of which the end is stated as {} and the base as {}", stated, base));
    block_.end = stated - base + block_.start;
    if (block_.end <= bytes_.size()) return;
    Where here = where_;
    here.offset = bytes_.size();
    throw malformed(fmt::format("the HDF5 file is cut: {} bytes stated, {} found", block_.end, bytes_.size()),
                    here);
  }

  Bytes bytes_;
  const Where& where_;
  Cursor cursor_;
  Superblock block_;
};

}  // namespace

bool has_signature(Bytes bytes) {
  return find_signature(bytes).has_value();
}

Superblock read_superblock(Bytes bytes, const Where& where) {
  const auto start = find_signature(bytes);
  if (!start) {
    Where here = where;
    here.offset = 0;
    throw malformed("no HDF5 signature", here);
  }
  return SuperblockReader(bytes, where, *start).read();
}

}  // namespace tieout::hdf5
