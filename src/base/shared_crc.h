// The checksum of many bytes, by several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/byte_reader.h"

namespace tieout {

// A checksum whose parts can be computed apart: crc32_of and crc32_joined, say.
struct CrcKind {
  // Of `bytes` behind what has the checksum `before`, 0 where there is nothing.
  std::uint32_t (*of)(Bytes bytes, std::uint32_t before);
  // Of a whole from its two parts' checksums; `length` is the second part's.
  std::uint32_t (*joined)(std::uint32_t first, std::uint32_t second, std::uint64_t length);
};

// Computed when somebody first asks, piece by piece by all threads that ask meanwhile: none waits while there
// is something to do.
class SharedCrc {
 public:
  // `bytes` must outlive this.
  SharedCrc(CrcKind kind, Bytes bytes);

  [[nodiscard]] std::uint32_t value() const;

 private:
  void compute_pieces() const;
  void compute(std::size_t piece) const;

  CrcKind kind_;
  Bytes bytes_;
  mutable std::vector<std::uint32_t> pieces_;
  mutable std::atomic<std::size_t> next_{0};
  mutable std::atomic<std::size_t> finished_{0};
  mutable std::atomic<bool> done_;
  mutable std::uint32_t value_ = 0;  // once it is done
};

}  // namespace tieout
