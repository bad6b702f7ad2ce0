// Reading zip archives: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3 and 4.5 (zip64).
//
// The central directory is the truth; every local header must agree with it. Refused with Error(malformed):
// records that overlap or leave the file, duplicate names, names that leave the archive ("/x", "a/../b",
// "a\b"), a size that the compressed bytes cannot give, bytes after the end record, a wrong CRC. Refused with
// Error(unsupported): encryption, several disks, methods other than stored and deflated.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/shared_crc.h"

namespace tieout {

enum class ZipMethod : std::uint16_t { stored = 0, deflated = 8 };

struct ZipEntry {
  std::string name;
  ZipMethod method = ZipMethod::stored;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;             // of the payload once it is inflated
  std::uint64_t compressed_size = 0;  // in the archive
  std::uint64_t header_offset = 0;    // of the local header in the file
  std::uint64_t payload_offset = 0;   // in the file
};

class ZipReader {
 public:
  // Reads and checks the whole directory; no payload.
  explicit ZipReader(FileRef file);

  // Whether the file begins like an archive with at least one record.
  static bool recognises(Bytes file);

  [[nodiscard]] const FileRef& file() const { return file_; }
  // In the order of the central directory.
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;  // nullptr when there is none
  [[nodiscard]] const ZipEntry& get(std::string_view name) const;   // Error(malformed) when there is none

  [[nodiscard]] std::uint64_t payload_offset(const ZipEntry& entry) const { return entry.payload_offset; }

  // The payload of a stored entry where it lies in the mapped file; valid as long as file(). The CRC is not
  // looked at: call verify() before the bytes are used. Error(unsupported) when the entry is deflated.
  [[nodiscard]] Bytes stored(const ZipEntry& entry) const;

  // The payload, inflated where needed and its CRC verified. Error(malformed) when it is larger than
  // `max_size`.
  [[nodiscard]] std::vector<std::byte> read(const ZipEntry& entry, std::uint64_t max_size) const;

  // Compares a stored entry's CRC, once; threads that ask meanwhile help. Error(malformed) when it is wrong.
  // PyTorch can write archives without CRCs (torch.serialization.set_crc32_options): zero everywhere. Only
  // then is zero taken for "none".
  void verify(const ZipEntry& entry) const;

 private:
  void compare(const ZipEntry& entry, std::uint32_t crc) const;

  FileRef file_;
  std::vector<ZipEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  bool has_crcs_ = false;
  std::deque<SharedCrc> crcs_;  // of the entries, as they lie in the file
};

}  // namespace tieout
