// Arrays: the indices of chunked datasets of which at most one axis can grow without limit (specification,
// VII.C and D).
#pragma once

#include <string>
#include <vector>

#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

struct ArrayEntry {
  std::uint64_t slot = 0;
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // bytes in the file
  std::uint32_t mask = 0;  // filters that were left out
};

// What the entries of an array are.
struct ArrayKind {
  bool filtered = false;         // then each states its size and mask
  std::uint64_t chunk_size = 0;  // bytes of a chunk that no filter packed
};

// Takes entries out of an array's blocks and keeps those that hold a chunk.
class ArrayEntries {
 public:
  ArrayEntries(const Image& image, ArrayKind kind) : image_(image), kind_(kind) {}

  // "Version" and "client" of each block; for the header, the size of the entries.
  void check_kind(Cursor& block) const;
  void take_entry_size(Cursor& header);
  [[nodiscard]] std::uint64_t entry_size() const { return entry_size_; }

  void take(Cursor& block, std::uint64_t first_slot, std::uint64_t count);
  std::vector<ArrayEntry> release() { return std::move(entries_); }

 private:
  const Image& image_;
  ArrayKind kind_;
  std::uint64_t entry_size_ = 0;
  std::vector<ArrayEntry> entries_;
};

// The slots that hold a chunk, of `slots` in all. Error(malformed) for damage.
std::vector<ArrayEntry> read_fixed_array(Image& image, std::uint64_t header, ArrayKind kind,
                                         std::uint64_t slots, const std::string& path);

// The slots that hold a chunk. Error(unsupported) where there are so many (some 131,000) that the array's
// blocks have pages.
std::vector<ArrayEntry> read_extensible_array(Image& image, std::uint64_t header, ArrayKind kind,
                                              const std::string& path);

}  // namespace tieout::hdf5
