#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace tieout {

namespace {

std::string reason() {
  return std::system_category().message(errno);
}

Error exists(const std::string& path) {
  return io_error(path, "exists already", "give another name, or --force to overwrite it");
}

bool is_there(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

OutputFile::OutputFile(std::string path, bool overwrite) : path_(std::move(path)), overwrite_(overwrite) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    throw io_error(path_, "is a directory", "name a file inside it");
  }
  if (!overwrite_ && is_there(path_)) throw exists(path_);
  temporary_ = path_ + ".XXXXXX";
  fd_ = ::mkstemp(temporary_.data());
  if (fd_ < 0)
    throw io_error(path_, "cannot create: " + reason(), "check that the folder exists and is writable");
  // mkstemp makes files private; give what an ordinary creation would.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd_, 0666 & ~mask);
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void OutputFile::write(Bytes bytes) {
  write_at(position_, bytes);
  position_ += bytes.size();
}

void OutputFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void OutputFile::write_at(std::uint64_t offset, Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw io_error(path_, "cannot write: " + reason(), "nothing was left behind");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void OutputFile::reach(std::uint64_t size) const {
  if (size > this->size() && ::ftruncate(fd_, static_cast<off_t>(size)) != 0)
    throw io_error(path_, "cannot write: " + reason(), "nothing was left behind");
}

std::uint64_t OutputFile::size() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw io_error(path_, "cannot stat: " + reason());
  return static_cast<std::uint64_t>(status.st_size);
}

void OutputFile::commit() {
  if (::fsync(fd_) != 0) throw io_error(path_, "cannot write: " + reason(), "nothing was left behind");
  // link() refuses an existing name in one step; rename() would replace what appeared meanwhile.
  if (overwrite_) {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw io_error(path_, "cannot rename: " + reason());
  } else {
    if (::link(temporary_.c_str(), path_.c_str()) != 0) {
      if (errno == EEXIST) throw exists(path_);
      // Some file systems have no hard links; there the check at the start is all that can be had.
      if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        throw io_error(path_, "cannot rename: " + reason());
    } else {
      ::unlink(temporary_.c_str());
    }
  }
  committed_ = true;
}

}  // namespace tieout
