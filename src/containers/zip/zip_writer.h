// Writing zip archives of stored records.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_file.h"
#include "tensor/payload.h"

namespace tieout {

enum class ZipAlignment : std::uint16_t {
  none = 1,
  torch = 64  // payloads begin at multiples of 64, padded as PyTorch does (extra field "FB"), for mmap=True
};

// Puts records into `out`, which must outlive it and be empty. Small ones are written at once; those that are
// made of tensors get their places, and are written together by finish(), on several threads. Zip64 fields
// appear where a size or an offset needs them. The time stamps are 1980-01-01, so that the same input gives
// the same bytes.
class ZipWriter {
 public:
  explicit ZipWriter(OutputFile& out, ZipAlignment alignment = ZipAlignment::none);

  // Error(internal) when the name was used before.
  void add(const std::string& name, Bytes payload);
  void add(const std::string& name, std::string_view payload);
  void add(const std::string& name, Payload payload);

  // What was not written yet, and the central directory. Nothing can be added afterwards.
  void finish(PayloadOptions options = {});

 private:
  struct Record {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
  };

  Record& begin(const std::string& name, std::uint64_t size);
  void set_crc(Record& record, std::uint32_t crc);
  void write_large(PayloadOptions options);

  OutputFile& out_;
  ZipAlignment alignment_;
  std::vector<Record> records_;
  std::set<std::string> names_;
  std::vector<PlacedPayload> large_;
  std::vector<std::size_t> large_records_;  // the record of each
};

}  // namespace tieout
