// The checksum of bytes that several threads are about to read.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/byte_reader.h"

namespace tieout {

// Computed when somebody first asks, piece by piece by all threads that ask meanwhile: none waits while there
// is something to do.
class SharedCrc {
 public:
  // `bytes` must outlive this.
  explicit SharedCrc(Bytes bytes);

  // CRC-32 (base/crc32.h).
  [[nodiscard]] std::uint32_t value() const;

 private:
  void compute_pieces() const;
  void compute(std::size_t piece) const;

  Bytes bytes_;
  mutable std::vector<std::uint32_t> pieces_;
  mutable std::atomic<std::size_t> next_{0};
  mutable std::atomic<std::size_t> finished_{0};
  mutable std::atomic<bool> done_;
  mutable std::uint32_t value_ = 0;  // once it is done
};

}  // namespace tieout
