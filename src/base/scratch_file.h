// Memory that the system may put on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tieout {

// `size` bytes of a file without a name in TMPDIR, or else in /var/tmp: gone with this, also when the process
// is killed. Error(io) where the disk has no room for it, before anything is written.
class ScratchFile {
 public:
  explicit ScratchFile(std::uint64_t size);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace tieout
