// A file that appears under its name only when it is whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"

namespace tieout {

// Writes to a file without a name, in the folder of `path`; commit() flushes it to disk and gives it the
// name. A process that is killed leaves nothing behind; where the file system knows no such files, it leaves
// one with a temporary name. Destroyed without commit(), nothing is left. Throws Error(io) when a write
// fails, a full disk included.
class OutputFile {
 public:
  // With `overwrite` false, an existing `path` is refused now and again at commit().
  OutputFile(std::string path, bool overwrite);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(Bytes bytes);
  void write(std::string_view text);
  // Writes anywhere, from any thread; the position for write() stays.
  void write_at(std::uint64_t offset, Bytes bytes) const;
  // Leaves room for `count` bytes, which are zeros until write_at() fills them.
  void skip(std::uint64_t count) { position_ += count; }
  // Makes the file at least so long, with zeros.
  void reach(std::uint64_t size) const;
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Bytes in the file.
  [[nodiscard]] std::uint64_t size() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  // For this process only, and until commit(): what to open to read the file.
  [[nodiscard]] const std::string& temporary_path() const {
    return temporary_.empty() ? nameless_ : temporary_;
  }

  void commit();

 private:
  void make_named();
  void appear();
  void name_beside();

  std::string path_;
  std::string temporary_;  // beside path_, to be removed; empty when the file has no name
  std::string nameless_;   // the open file, as this process can name it
  bool overwrite_;
  int fd_ = -1;
  std::uint64_t position_ = 0;
};

}  // namespace tieout
