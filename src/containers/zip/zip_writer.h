// Writing zip archives of stored records.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_file.h"

namespace tieout {

enum class ZipAlignment : std::uint16_t {
  none = 1,
  torch = 64  // payloads begin at multiples of 64, padded as PyTorch does (extra field "FB"), for mmap=True
};

// Streams records into `out`, which must outlive it and be empty. Zip64 fields appear where a size or an
// offset needs them. The time stamps are 1980-01-01, so that the same input gives the same bytes.
class ZipWriter {
 public:
  explicit ZipWriter(OutputFile& out, ZipAlignment alignment = ZipAlignment::none);

  // One record: begin, write as often as needed, end. `size` is the payload's; Error(internal) when write()
  // gave another count by end(), or when the name was used before.
  void begin(const std::string& name, std::uint64_t size);
  void write(Bytes bytes);
  void end();

  void add(const std::string& name, Bytes payload);
  void add(const std::string& name, std::string_view payload);

  // The central directory. Nothing can be added afterwards.
  void finish();

 private:
  struct Record {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
  };

  OutputFile& out_;
  ZipAlignment alignment_;
  std::vector<Record> records_;
  std::set<std::string> names_;
  std::uint64_t left_ = 0;
  bool open_ = false;
};

}  // namespace tieout
