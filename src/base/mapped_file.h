// A whole file as read-only memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_reader.h"

namespace tieout {

// Maps `path` privately and read-only. Throws Error(io) when it is missing, a directory, not a regular file
// or unreadable. An empty file gives empty bytes.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  friend void check_files_unchanged();
  struct State {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::uint64_t size = 0;
    bool operator==(const State&) const = default;
  };
  [[nodiscard]] State state() const;
  void map();

  std::string path_;
  int fd_ = -1;
  State opened_;
  Bytes bytes_;
};

// Error(io) when one of the files that are mapped now has another size or modification time than when it was
// opened: what was read of it may be of both. To be called when all has been read.
void check_files_unchanged();

// A mapped file that is cut short, or whose disk fails, ends the process by SIGBUS when the lost part is
// read. From here on the process then says which file it was and ends with ExitCode::io. For programs, not
// for libraries.
void end_with_message_when_a_file_is_lost();

using FileRef = std::shared_ptr<const MappedFile>;

}  // namespace tieout
