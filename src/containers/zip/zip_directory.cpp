#include "containers/zip/zip_directory.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "containers/utf8.h"
#include "containers/zip/zip_layout.h"

namespace tieout::zip {

namespace {

// Deflate cannot shrink more than 1032 to 1 (https://zlib.net/zlib_tech.html); a few bytes are left for tiny
// inputs.
constexpr std::uint64_t largest_ratio = 1032;

// end_signature as it lies in the file.
constexpr std::string_view end_mark = "PK\5\6";
static_assert(end_signature == 0x06054b50);

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

Where in_file(const MappedFile& file, std::uint64_t offset, const std::string& entry = {}) {
  return {.file = file.path(), .entry = entry, .offset = offset, .tensor = {}, .layer = {}};
}

ByteReader reader_at(const MappedFile& file, std::uint64_t offset, const std::string& entry = {}) {
  ByteReader reader(file.bytes(),
                    {.file = file.path(), .entry = entry, .offset = {}, .tensor = {}, .layer = {}});
  reader.seek(offset);
  return reader;
}

// The end record is the last thing in the file, but for a comment whose length it tells.
std::uint64_t find_end(const MappedFile& file) {
  const Bytes bytes = file.bytes();
  const std::uint64_t longest = end_size + 0xFFFF;
  const std::uint64_t lowest = bytes.size() > longest ? bytes.size() - longest : 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto at = bytes.size() < end_size ? text.npos : text.rfind(end_mark, bytes.size() - end_size);
  while (at != text.npos && at >= lowest) {
    ByteReader reader = reader_at(file, at);
    reader.skip(end_size - 2);
    if (reader.u16() == reader.remaining()) return at;
    at = at == 0 ? text.npos : text.rfind(end_mark, at - 1);
  }
  throw malformed("the archive has no end record; the file is cut or not a zip archive",
                  in_file(file, bytes.size()));
}

std::optional<Directory> read_zip64_end(const MappedFile& file, std::uint64_t end) {
  if (end < locator_size) return std::nullopt;
  ByteReader locator = reader_at(file, end - locator_size);
  if (locator.u32() != locator_signature) return std::nullopt;
  const std::uint32_t disk = locator.u32();
  const std::uint64_t at = locator.u64();
  const std::uint32_t disks = locator.u32();
  if (disk != 0 || disks > 1)
    throw unsupported("the archive is split over several disks", in_file(file, end));
  ByteReader record = reader_at(file, at);
  if (record.u32() != zip64_signature) throw record.error("expected the zip64 end record");
  const auto record_end = checked_add(at + 12, record.u64());
  if (record_end != end - locator_size) throw record.error("the zip64 end record has a wrong size");
  record.skip(2 * 2);
  if (record.u32() != 0 || record.u32() != 0) throw record.error("the archive is split over several disks");
  const std::uint64_t here = record.u64();
  Directory directory;
  directory.entries = record.u64();
  directory.size = record.u64();
  directory.offset = record.u64();
  if (here != directory.entries) throw record.error("the archive is split over several disks");
  if (checked_add(directory.offset, directory.size) != at) {
    throw record.error("the directory does not end where the zip64 end record begins");
  }
  return directory;
}

Directory find_directory(const MappedFile& file) {
  const std::uint64_t end = find_end(file);
  ByteReader reader = reader_at(file, end + 4);
  const std::uint16_t disk = reader.u16();
  const std::uint16_t directory_disk = reader.u16();
  const std::uint16_t here = reader.u16();
  const std::uint16_t total = reader.u16();
  const std::uint32_t size = reader.u32();
  const std::uint32_t offset = reader.u32();
  if (disk != 0 || directory_disk != 0 || here != total) {
    throw unsupported("the archive is split over several disks", in_file(file, end));
  }
  if (const auto large = read_zip64_end(file, end)) {
    const bool agrees = (total == in_zip64_16 || total == large->entries) &&
                        (size == in_zip64_32 || size == large->size) &&
                        (offset == in_zip64_32 || offset == large->offset);
    if (!agrees) throw reader.error("the end record and the zip64 end record do not agree");
    return *large;
  }
  if (checked_add(offset, size) != end)
    throw reader.error("the directory does not end where the end record begins");
  return {.offset = offset, .size = size, .entries = total};
}

// The 64-bit values that replace the fields which say so, in the order of [4.5.3].
void read_zip64_extra(ByteReader& extra, const std::vector<std::uint64_t*>& wanted) {
  if (wanted.empty()) return;
  while (!extra.at_end()) {
    const std::uint16_t id = extra.u16("extra field");
    const std::uint16_t size = extra.u16("extra field");
    const std::uint64_t next = extra.position() + size;
    if (id == extra_zip64) {
      if (size < 8 * wanted.size()) throw extra.error("the zip64 extra field is too short");
      for (std::uint64_t* value : wanted) *value = extra.u64("zip64 extra field");
      return;
    }
    extra.seek(next);
  }
  throw extra.error("a size stands in a zip64 extra field that is missing");
}

// A name may not leave the folder it would be unpacked to, although tieout never unpacks: no honest tool
// writes such a name, and two readers may take it for different things.
void check_name(const ByteReader& reader, std::string_view name) {
  if (name.empty() || !is_utf8(name)) throw reader.error("a record's name is empty or not UTF-8");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(name, is_control)) throw reader.error("a record's name holds a control character");
  if (name.front() == '/' || name.find('\\') != std::string_view::npos) {
    throw reader.error("the record name '" + std::string(name) + "' is not a relative path");
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") {
      throw reader.error("the record name '" + std::string(name) + "' leaves the archive");
    }
    begin = end + 1;
  }
}

ZipEntry read_central(ByteReader& reader, const Where& where) {
  if (reader.u32("directory entry") != central_signature) throw reader.error("expected a directory entry");
  reader.skip(2 * 2);
  const std::uint16_t flags = reader.u16();
  const std::uint16_t method = reader.u16();
  reader.skip(2 * 2);
  ZipEntry entry;
  entry.crc = reader.u32();
  entry.compressed_size = reader.u32();
  entry.size = reader.u32();
  const std::uint16_t name_size = reader.u16();
  const std::uint16_t extra_size = reader.u16();
  const std::uint16_t comment_size = reader.u16();
  const std::uint16_t disk = reader.u16();
  reader.skip(2 + 4);
  entry.header_offset = reader.u32();
  entry.name = reader.take_text(name_size, "record name");
  check_name(reader, entry.name);
  std::vector<std::uint64_t*> large;
  if (entry.size == in_zip64_32) large.push_back(&entry.size);
  if (entry.compressed_size == in_zip64_32) large.push_back(&entry.compressed_size);
  if (entry.header_offset == in_zip64_32) large.push_back(&entry.header_offset);
  Where here = where;
  here.entry = entry.name;
  const std::uint64_t extra_at = reader.position();
  ByteReader extra(reader.take(extra_size, "extra field"), here, where.offset.value_or(0) + extra_at);
  read_zip64_extra(extra, large);
  reader.skip(comment_size);
  if ((flags & (flag_encrypted | flag_masked)) != 0) throw unsupported("the record is encrypted", here);
  if (disk != 0) throw unsupported("the archive is split over several disks", here);
  if (method != 0 && method != 8) {
    throw unsupported("compression method " + std::to_string(method) + " is not supported", here,
                      "write the archive with stored or deflated records");
  }
  entry.method = static_cast<ZipMethod>(method);
  return entry;
}

void check_sizes(const MappedFile& file, const ZipEntry& entry) {
  if (entry.method == ZipMethod::stored && entry.size != entry.compressed_size) {
    throw malformed("a stored record has two different sizes",
                    in_file(file, entry.header_offset, entry.name));
  }
  if (entry.size / largest_ratio > entry.compressed_size) {
    throw malformed("the record claims to inflate to " + std::to_string(entry.size) + " bytes from " +
                        std::to_string(entry.compressed_size) + ", more than deflate can do",
                    in_file(file, entry.header_offset, entry.name));
  }
}

// Finds the payload, and that the local header says the same as the directory.
void read_local(const MappedFile& file, ZipEntry& entry) {
  ByteReader reader = reader_at(file, entry.header_offset, entry.name);
  if (reader.u32("record header") != local_signature) throw reader.error("expected a record header");
  reader.skip(2);
  const std::uint16_t flags = reader.u16();
  const std::uint16_t method = reader.u16();
  reader.skip(2 * 2);
  const std::uint32_t crc = reader.u32();
  std::uint64_t compressed_size = reader.u32();
  std::uint64_t size = reader.u32();
  const std::uint16_t name_size = reader.u16();
  const std::uint16_t extra_size = reader.u16();
  if (reader.take_text(name_size, "record name") != entry.name) {
    throw reader.error("the record's header has another name than the directory");
  }
  if (method != static_cast<std::uint16_t>(entry.method)) {
    throw reader.error("the record's header has another compression method than the directory");
  }
  const std::uint64_t extra_at = reader.position();
  const Bytes extra_bytes = reader.take(extra_size, "extra field");
  if ((flags & flag_descriptor) == 0) {
    std::vector<std::uint64_t*> large;
    if (size == in_zip64_32) large.push_back(&size);
    if (compressed_size == in_zip64_32) large.push_back(&compressed_size);
    ByteReader extra(extra_bytes, in_file(file, extra_at, entry.name), extra_at);
    read_zip64_extra(extra, large);
    if (size != entry.size || compressed_size != entry.compressed_size || crc != entry.crc) {
      throw reader.error("the record's header has other sizes or another CRC than the directory");
    }
  }
  entry.payload_offset = reader.position();
}

// Records may stand in any order and have gaps, but none may share a byte with another or with the directory.
void check_places(const MappedFile& file, const std::vector<ZipEntry>& entries, std::uint64_t directory) {
  std::vector<const ZipEntry*> by_place;
  for (const ZipEntry& entry : entries) by_place.push_back(&entry);
  std::ranges::sort(by_place, {}, [](const ZipEntry* entry) { return entry->header_offset; });
  for (std::size_t i = 0; i < by_place.size(); ++i) {
    const ZipEntry& entry = *by_place[i];
    const std::uint64_t limit = i + 1 < by_place.size() ? by_place[i + 1]->header_offset : directory;
    const auto end = checked_add(entry.payload_offset, entry.compressed_size);
    if (!end || *end > limit) {
      throw malformed("the record overlaps the next one or the directory",
                      in_file(file, entry.payload_offset, entry.name));
    }
  }
}

}  // namespace

std::vector<ZipEntry> read_directory(const MappedFile& file) {
  const Directory directory = find_directory(file);
  ByteReader whole = reader_at(file, directory.offset);
  const Where where = in_file(file, directory.offset);
  ByteReader reader(whole.take(directory.size, "directory"),
                    {.file = file.path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                    directory.offset);
  if (directory.entries > directory.size / central_size) {
    throw reader.error("the directory is too small for " + std::to_string(directory.entries) + " records");
  }
  std::vector<ZipEntry> entries;
  std::set<std::string, std::less<>> names;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    ZipEntry entry = read_central(reader, where);
    if (!names.insert(entry.name).second) {
      throw reader.error("two records have the name '" + entry.name + "'");
    }
    check_sizes(file, entry);
    read_local(file, entry);
    entries.push_back(std::move(entry));
  }
  if (!reader.at_end()) throw reader.error("bytes are left after the last directory entry");
  check_places(file, entries, directory.offset);
  std::erase_if(entries, [](const ZipEntry& entry) { return entry.name.back() == '/'; });
  return entries;
}

}  // namespace tieout::zip
