// The bytes of an HDF5 file that is being read, and where in them everything is.
//
// Every address in the file counts from the superblock, and every structure is asked for here, so that
// nothing is read beyond the file, and so that a file whose structures overlap is not read more often than it
// is long.
#pragma once

#include <string>

#include "containers/hdf5/read/cursor.h"
#include "containers/hdf5/superblock.h"

namespace tieout::hdf5 {

// Bytes that deflate packs into one at most (https://zlib.net/zlib_tech.html).
constexpr std::uint64_t max_expansion = 1032;

class Image {
 public:
  // `where` names the file and, where `bytes` is only a part of it, the part. Throws what read_superblock
  // does.
  Image(Bytes bytes, Where where);

  [[nodiscard]] const Superblock& superblock() const { return superblock_; }
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

  // Where the object at the path inside the file is, for messages.
  [[nodiscard]] Where where(const std::string& path) const;
  [[nodiscard]] Where where(const std::string& path, std::uint64_t address) const;

  // The `size` bytes at `address`: Error(malformed) when they leave the file.
  [[nodiscard]] Bytes bytes(std::uint64_t address, std::uint64_t size, const std::string& path) const;
  // A cursor over bytes of this file that begin at `address`.
  [[nodiscard]] Cursor cursor(Bytes bytes, std::uint64_t address, const std::string& path) const;
  // From `address` to the end of the file, for structures that say how long they are.
  [[nodiscard]] Cursor from(std::uint64_t address, const std::string& path) const;

  // A structure of `size` bytes; it is charged for.
  Cursor block(std::uint64_t address, std::uint64_t size, const std::string& path);
  // The same, which begins with `signature` and ends with the checksum of all before it: the cursor is over
  // what is between the two.
  Cursor checked_block(std::uint64_t address, std::uint64_t size, std::string_view signature,
                       const std::string& path);

  // Counts bytes that are read of the file's structures. Error(malformed) when there are several times more
  // than the file has, which no file needs whose structures do not overlap.
  void charge(std::uint64_t bytes, const std::string& path);
  // Counts bytes that the elements of datasets will take. Error(malformed) when there are more than a file of
  // this size can hold, were all of it packed as well as can be.
  void announce(std::uint64_t bytes, const std::string& path);
  [[nodiscard]] std::uint64_t announced() const { return announced_; }

 private:
  Where where_;
  Superblock superblock_;
  Bytes bytes_;  // from the superblock to the stated end
  std::uint64_t charged_ = 0;
  std::uint64_t announced_ = 0;
};

}  // namespace tieout::hdf5
