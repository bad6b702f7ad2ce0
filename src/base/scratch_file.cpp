#include "base/scratch_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "tieout/error.h"

namespace tieout {

namespace {

// /tmp is memory on many systems (https://systemd.io/TEMPORARY_DIRECTORIES).
std::string folder() {
  const char* given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/var/tmp";
}

Error failed(const std::string& what, std::uint64_t size, int reason) {
  return io_error(
      folder(),
      what + " of " + std::to_string(size >> 20) + " MiB: " + std::system_category().message(reason),
      "name a folder with more room in the environment variable TMPDIR");
}

// Not every file system knows O_TMPFILE.
int open_nameless(const std::string& where) {
  const int fd = ::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = where + "/tieout-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

ScratchFile::ScratchFile(std::uint64_t size) {
  const int fd = open_nameless(folder());
  if (fd < 0) throw failed("cannot make a temporary file", size, errno);
  // With its blocks: a write to the mapping that finds no room would end the process.
  const int reserved = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  void* memory =
      reserved == 0 ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int reason = reserved != 0 ? reserved : errno;
  ::close(fd);
  if (memory == MAP_FAILED) throw failed("there is no room for a temporary file", size, reason);
  bytes_ = {static_cast<std::byte*>(memory), size};
}

ScratchFile::~ScratchFile() {
  ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace tieout
