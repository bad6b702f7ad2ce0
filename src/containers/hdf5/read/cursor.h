// A ByteReader that knows how wide an HDF5 file's addresses and lengths are.
#pragma once

#include <limits>

#include "base/byte_reader.h"

namespace tieout::hdf5 {

// What a file writes, all bits set, where nothing has been stored.
constexpr std::uint64_t no_address = std::numeric_limits<std::uint64_t>::max();

// "Size of Offsets" and "Size of Lengths" of the superblock.
struct Widths {
  std::uint8_t address = 8;
  std::uint8_t length = 8;
};

class Cursor : public ByteReader {
 public:
  Cursor(Bytes bytes, Where where, std::uint64_t base, Widths widths)
      : ByteReader(bytes, std::move(where), base), base_(base), widths_(widths) {}

  // Of the next byte in the file, which `base` counts from too.
  [[nodiscard]] std::uint64_t offset() const { return base_ + position(); }

  [[nodiscard]] Widths widths() const { return widths_; }

  // An unsigned number of `size` bytes, at most 8.
  std::uint64_t number(std::size_t size, std::string_view what = "number");
  // no_address where the file has none.
  std::uint64_t address(std::string_view what = "address");
  std::uint64_t length(std::string_view what = "length") { return number(widths_.length, what); }

  // The next bytes must be this text, this version.
  void expect(std::string_view signature);
  void expect_version(std::uint8_t version, std::string_view of);

 private:
  std::uint64_t base_;
  Widths widths_;
};

}  // namespace tieout::hdf5
