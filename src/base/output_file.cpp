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

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// So that the new name is on disk too. Not every file system can; then it is what it was.
void flush_folder(const std::string& path) {
  const int fd = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
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
  // A file without a name goes away by itself, even when the process is killed.
  fd_ = ::open(folder_of(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (fd_ >= 0) {
    nameless_ = "/proc/self/fd/" + std::to_string(fd_);
    if (is_there(nameless_)) return;
    ::close(fd_);  // no /proc: it could never get a name
    nameless_.clear();
  }
  make_named();
}

void OutputFile::make_named() {
  temporary_ = path_ + ".XXXXXX";
  fd_ = ::mkstemp(temporary_.data());
  if (fd_ < 0) {
    temporary_.clear();
    throw io_error(path_, "cannot create: " + reason(), "check that the folder exists and is writable");
  }
  // mkstemp makes files private; give what an ordinary creation would.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd_, 0666 & ~mask);
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
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
  if (overwrite_) {
    if (temporary_.empty()) name_beside();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw io_error(path_, "cannot rename: " + reason());
    temporary_.clear();
  } else {
    appear();
  }
  flush_folder(path_);
}

// link() refuses an existing name in one step; rename() would replace what appeared meanwhile.
void OutputFile::appear() {
  if (::linkat(AT_FDCWD, temporary_path().c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return;
  if (errno == EEXIST) throw exists(path_);
  // Some file systems have no hard links; there the check at the start is all that can be had.
  if (temporary_.empty() || ::rename(temporary_.c_str(), path_.c_str()) != 0)
    throw io_error(path_, "cannot rename: " + reason());
  temporary_.clear();
}

// A name in the same folder that nothing has yet, as mkstemp finds one.
void OutputFile::name_beside() {
  constexpr int attempts = 100;
  for (int i = 0; i < attempts; ++i) {
    const std::string name = path_ + "." + std::to_string(::getpid()) + "-" + std::to_string(i);
    if (::linkat(AT_FDCWD, nameless_.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
      return;
    }
    if (errno != EEXIST) break;
  }
  throw io_error(path_, "cannot name the finished file: " + reason());
}

}  // namespace tieout
