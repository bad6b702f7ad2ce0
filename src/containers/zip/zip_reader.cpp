#include "containers/zip/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/crc32.h"
#include "containers/zip/zip_directory.h"
#include "containers/zip/zip_layout.h"

namespace tieout {

namespace {

constexpr CrcKind crc_kind{crc32_of, crc32_joined};

// zlib counts in 32 bits: a larger buffer is given in pieces.
uInt piece(std::uint64_t left) {
  return static_cast<uInt>(std::min<std::uint64_t>(left, std::numeric_limits<uInt>::max()));
}

// One raw deflate stream that must give exactly `out` and use all of `in`.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw internal_error("zlib cannot begin to inflate");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool run(Bytes in, std::span<std::byte> out) {
    std::uint64_t in_left = in.size();
    std::uint64_t out_left = out.size();
    // zlib's interface is not const, but it does not write to its input.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    Bytef nothing = 0;
    stream_.next_out = out.empty() ? &nothing : reinterpret_cast<Bytef*>(out.data());
    int status = Z_OK;
    while (status == Z_OK) {
      stream_.avail_in = piece(in_left);
      stream_.avail_out = piece(out_left);
      const std::uint64_t given = stream_.avail_in;
      const std::uint64_t room = stream_.avail_out;
      status = inflate(&stream_, Z_NO_FLUSH);
      in_left -= given - stream_.avail_in;
      out_left -= room - stream_.avail_out;
    }
    return status == Z_STREAM_END && in_left == 0 && out_left == 0;
  }

 private:
  z_stream stream_{};
};

Where place(const FileRef& file, const ZipEntry& entry) {
  return {
      .file = file->path(), .entry = entry.name, .offset = entry.payload_offset, .tensor = {}, .layer = {}};
}

}  // namespace

ZipReader::ZipReader(FileRef file) : file_(std::move(file)), entries_(zip::read_directory(*file_)) {
  for (std::size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
  has_crcs_ = std::ranges::any_of(entries_, [](const ZipEntry& entry) { return entry.crc != 0; });
  for (const ZipEntry& entry : entries_)
    crcs_.emplace_back(crc_kind, file_->bytes().subspan(entry.payload_offset, entry.compressed_size));
}

bool ZipReader::recognises(Bytes file) {
  return file.size() >= 4 && ByteReader(file, {}).u32() == zip::local_signature;
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

const ZipEntry& ZipReader::get(std::string_view name) const {
  const ZipEntry* entry = find(name);
  if (entry == nullptr) {
    throw malformed("the archive has no record '" + std::string(name) + "'",
                    {.file = file_->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}});
  }
  return *entry;
}

Bytes ZipReader::stored(const ZipEntry& entry) const {
  if (entry.method != ZipMethod::stored) {
    throw unsupported("the record is compressed where it must lie in the file as it is", place(file_, entry));
  }
  return file_->bytes().subspan(entry.payload_offset, entry.size);
}

std::vector<std::byte> ZipReader::read(const ZipEntry& entry, std::uint64_t max_size) const {
  if (entry.size > max_size) {
    throw malformed("the record has " + std::to_string(entry.size) + " bytes where at most " +
                        std::to_string(max_size) + " are accepted",
                    place(file_, entry));
  }
  const Bytes packed = file_->bytes().subspan(entry.payload_offset, entry.compressed_size);
  std::vector<std::byte> payload;
  if (entry.method == ZipMethod::stored) {
    payload.assign(packed.begin(), packed.end());
  } else {
    payload.resize(entry.size);
    if (!Inflater().run(packed, payload)) {
      throw malformed("the record does not inflate to its " + std::to_string(entry.size) + " bytes",
                      place(file_, entry));
    }
  }
  if (has_crcs_) compare(entry, SharedCrc(crc_kind, payload).value());
  return payload;
}

void ZipReader::verify(const ZipEntry& entry) const {
  if (has_crcs_) compare(entry, crcs_[static_cast<std::size_t>(&entry - entries_.data())].value());
}

void ZipReader::compare(const ZipEntry& entry, std::uint32_t crc) const {
  if (crc != entry.crc)
    throw malformed("the record's bytes do not have its CRC; the file is damaged", place(file_, entry));
}

}  // namespace tieout
