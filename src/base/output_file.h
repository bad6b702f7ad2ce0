// A file that appears under its name only when it is whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"

namespace tieout {

// Writes to a temporary name beside `path`; commit() flushes it to disk and renames it. Destroyed without
// commit(), it leaves nothing behind. Throws Error(io) when a write fails, a full disk included.
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
  // Bytes in the file, those that a library wrote by name included.
  [[nodiscard]] std::uint64_t size() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  // For libraries that write by name (HDF5). The file exists and is empty until written.
  [[nodiscard]] const std::string& temporary_path() const { return temporary_; }

  void commit();

 private:
  std::string path_;
  std::string temporary_;
  bool overwrite_;
  int fd_ = -1;
  std::uint64_t position_ = 0;
  bool committed_ = false;
};

}  // namespace tieout
