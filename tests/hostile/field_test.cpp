// Small files in which every field is given the values that break readers: at each place, in each width that
// a length, an offset, a count or a flag can have, zero, the largest value, and one more than is left of the
// file. What comes of it is an Error that the user can read, or a model whose tensors can be read; never a
// crash, never another exception, and never memory that the file does not pay for.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "open.h"
#include "tieout/error.h"
#include "verify/child_process.h"

using namespace tieout;
namespace fs = std::filesystem;

namespace {

const fs::path files = "tests/hostile/files";
#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;  // its shadow takes terabytes of addresses
#else
constexpr bool sanitized = false;
#endif

// How far apart the places are: fields of larger files are aligned, and most of their bytes are elements.
// Under the sanitizers every fifth of them, which still meets all alignments.
std::size_t step_in(std::size_t size) {
  const std::size_t every = sanitized ? 5 : 1;
  if (size < 2000) return every;
  return (size < 16'000 ? 4 : 20) * every;
}

// At most 3 GiB of addresses, until the end of the scope.
class MemoryLimit {
 public:
  MemoryLimit() {
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit limited = before_;
    limited.rlim_cur = std::size_t{3} << 30;
    if (!sanitized) ::setrlimit(RLIMIT_AS, &limited);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

using Content = std::vector<char>;

Content content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As PyTorch writes archives when it is told to leave checksums out, so that changes reach what lies behind
// them.
void remove_crcs(Content& archive) {
  const auto zero = [&](std::size_t at, std::size_t crc) {
    if (at + crc + 4 <= archive.size()) std::memset(archive.data() + at + crc, 0, 4);
  };
  for (std::size_t at = 0; at + 4 <= archive.size(); ++at) {
    if (std::memcmp(archive.data() + at, "PK\3\4", 4) == 0) zero(at, 14);
    if (std::memcmp(archive.data() + at, "PK\1\2", 4) == 0) zero(at, 16);
    if (std::memcmp(archive.data() + at, "PK\7\10", 4) == 0) zero(at, 4);
  }
}

// True when the file could be read.
bool read_through(const fs::path& path) {
  try {
    const Side side = open_side(path.string());
    for (const auto& [name, tensor] : side.file.tensors) static_cast<void>(tensor.load());
    return true;
  } catch (const Error& error) {
    INFO(error.describe());
    CHECK((error.kind() == ErrorKind::malformed || error.kind() == ErrorKind::unsupported ||
           error.kind() == ErrorKind::io));
    return false;
  }
}

class Sweep {
 public:
  Sweep(const fs::path& path, Content whole) : path_(path), whole_(std::move(whole)) {
    std::ofstream(path_, std::ios::binary).write(whole_.data(), static_cast<std::streamsize>(whole_.size()));
    file_.open(path_, std::ios::binary | std::ios::in | std::ios::out);
  }

  void run() {
    const std::size_t step = step_in(whole_.size());
    for (std::size_t at = 0; at < whole_.size(); at += step) {
      CAPTURE(at);
      for (const std::size_t width : {1U, 2U, 4U, 8U}) {
        if (at + width > whole_.size()) continue;
        const std::uint64_t left = whole_.size() - at - width + 1;
        for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, left, ~std::uint64_t{0} >> 1})
          try_with(at, width, value);
      }
    }
  }
  [[nodiscard]] int tried() const { return tried_; }

 private:
  void try_with(std::size_t at, std::size_t width, std::uint64_t value) {
    if (std::memcmp(whole_.data() + at, &value, width) == 0) return;
    CAPTURE(width);
    CAPTURE(value);
    put(at, reinterpret_cast<const char*>(&value), width);
    read_through(path_);
    put(at, whole_.data() + at, width);
    ++tried_;
  }
  void put(std::size_t at, const char* bytes, std::size_t count) {
    file_.seekp(static_cast<std::streamoff>(at));
    file_.write(bytes, static_cast<std::streamsize>(count));
    file_.flush();
  }

  fs::path path_;
  Content whole_;
  std::fstream file_;
  int tried_ = 0;
};

void sweep(const std::string& name, bool without_crcs = false) {
  const TemporaryDirectory folder;
  const MemoryLimit limit;
  Content whole = content_of(files / name);
  if (without_crcs) remove_crcs(whole);
  Sweep one(folder.path() / name, whole);
  REQUIRE(read_through(folder.path() / name));
  one.run();
  MESSAGE(name, ": ", one.tried(), " files");
  CHECK(one.tried() > 300);
}

}  // namespace

TEST_CASE("fields of a PyTorch archive") {
  sweep("pt_ok.pt");
  sweep("tiny_lenet.pt", true);
}

TEST_CASE("fields of a pickled module") {
  sweep("tiny_lenet_module.pt", true);
}

TEST_CASE("fields of safetensors") {
  sweep("st_ok_scalar_empty.safetensors");
  sweep("tiny_lenet.safetensors");
}

TEST_CASE("fields of a Keras archive") {
  sweep("tiny_lenet.keras", true);
}

TEST_CASE("fields of a Keras .h5 model") {
  sweep("tiny_lenet.h5");
}
