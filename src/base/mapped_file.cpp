#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string_view>
#include <system_error>

#include "tieout/error.h"

namespace tieout {

namespace {

std::string reason() {
  return std::system_category().message(errno);
}

// The files that are mapped now. A signal handler reads the places, so they are plain memory; the lock keeps
// those who may wait for it apart.
constexpr std::size_t most_files = 4096;
std::array<std::atomic<const MappedFile*>, most_files> mapped;
std::mutex mapped_lock;

void enter(const MappedFile& file) {
  const std::scoped_lock lock(mapped_lock);
  const auto place = std::ranges::find(mapped, nullptr, [](const auto& entry) { return entry.load(); });
  if (place == mapped.end())
    throw unsupported("more than 4096 files at a time",
                      {.file = file.path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "join the model's files into fewer");
  place->store(&file);
}

void leave(const MappedFile& file) {
  const std::scoped_lock lock(mapped_lock);
  const auto place = std::ranges::find(mapped, &file, [](const auto& entry) { return entry.load(); });
  if (place != mapped.end()) place->store(nullptr);
}

void say(std::string_view text) {
  static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
}

// May only call what is safe in a signal handler.
void on_lost_file(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  for (const auto& entry : mapped) {
    const MappedFile* file = entry.load();
    if (file == nullptr) continue;
    const Bytes bytes = file->bytes();
    if (std::less<>()(address, bytes.data()) || !std::less<>()(address, bytes.data() + bytes.size()))
      continue;
    say("\ntieout: ");
    say(file->path().c_str());
    say(": cannot be read to its end: it was cut short meanwhile, or its disk failed\n"
        "  run it again when nothing writes to the file\n");
    std::_Exit(static_cast<int>(ExitCode::io));
  }
  static_cast<void>(
      std::signal(SIGBUS, SIG_DFL));  // not ours: the instruction is run again, and ends the process
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: opening a named pipe must not hang; it is refused just below.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) throw io_error(path, "cannot open: " + reason(), "check the path and its permissions");
  try {
    map();
    enter(*this);
  } catch (...) {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    ::close(fd_);
    throw;
  }
}

MappedFile::~MappedFile() {
  leave(*this);
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  ::close(fd_);
}

void MappedFile::map() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw io_error(path_, "cannot stat: " + reason());
  if (S_ISDIR(status.st_mode)) throw io_error(path_, "is a directory", "name a file inside it");
  if (!S_ISREG(status.st_mode)) throw io_error(path_, "is not a regular file");
  opened_ = state();
  if (opened_.size == 0) return;
  void* memory = ::mmap(nullptr, opened_.size, PROT_READ, MAP_PRIVATE, fd_, 0);
  if (memory == MAP_FAILED) throw io_error(path_, "cannot map: " + reason());
  bytes_ = Bytes(static_cast<const std::byte*>(memory), opened_.size);
}

MappedFile::State MappedFile::state() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw io_error(path_, "cannot stat: " + reason());
  return {.seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec,
          .size = static_cast<std::uint64_t>(status.st_size)};
}

void check_files_unchanged() {
  const std::scoped_lock lock(mapped_lock);
  for (const auto& entry : mapped) {
    const MappedFile* file = entry.load();
    if (file == nullptr || file->state() == file->opened_) continue;
    throw io_error(file->path(), "the file was changed while it was read",
                   "run it again when nothing writes to the file");
  }
}

void end_with_message_when_a_file_is_lost() {
  struct sigaction action {};
  action.sa_sigaction = on_lost_file;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace tieout
