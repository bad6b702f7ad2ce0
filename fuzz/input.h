// What every fuzz target starts from.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "tieout/error.h"

namespace tieout::fuzz {

// The fuzzer's bytes as a file, which lies in memory.
class File {
 public:
  explicit File(Bytes bytes) : fd_(::memfd_create("input", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] FileRef map() const {
    return std::make_shared<const MappedFile>("/proc/self/fd/" + std::to_string(fd_));
  }

 private:
  int fd_;
};

// Runs `attempt`, which may end in what a user can be told: damaged, unsupported, not readable, asked for
// wrongly. An internal error is a finding, as is any other exception.
template <typename Attempt>
void expect_no_bug(const Attempt& attempt) {
  try {
    attempt();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::internal) return;
    std::cerr << error.describe() << "\n";
    std::abort();
  }
}

// Elements of at most 16 MiB: more is a matter of time, not of correctness.
template <typename Tensors>
void load(const Tensors& tensors) {
  std::uint64_t left = std::uint64_t{16} << 20;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t size = byte_count(tensor.shape, tensor.dtype);
    if (size > left) return;
    left -= size;
    static_cast<void>(tensor.load());
  }
}

}  // namespace tieout::fuzz
