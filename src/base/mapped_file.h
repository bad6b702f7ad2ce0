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
  std::string path_;
  Bytes bytes_;
};

using FileRef = std::shared_ptr<const MappedFile>;

}  // namespace tieout
