#include "containers/zip/zip_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/crc32.h"
#include "containers/zip/zip_layout.h"

namespace tieout {

namespace {

using zip::in_zip64_16;
using zip::in_zip64_32;

// Little-endian fields one after another.
class Fields {
 public:
  Fields& u16(std::uint64_t value) { return number(value, 2); }
  Fields& u32(std::uint64_t value) { return number(value, 4); }
  Fields& u64(std::uint64_t value) { return number(value, 8); }
  Fields& text(std::string_view value) {
    const auto bytes = std::as_bytes(std::span(value.data(), value.size()));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Fields& fill(std::uint64_t count, std::byte value) {
    bytes_.insert(bytes_.end(), count, value);
    return *this;
  }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  Fields& number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
    return *this;
  }

  std::vector<std::byte> bytes_;
};

std::uint32_t capped(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, in_zip64_32));
}

std::uint16_t flags_for(const std::string& name) {
  const bool ascii = std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? std::uint16_t{0} : zip::flag_utf8;
}

constexpr std::uint64_t crc_position = 4 + 5 * 2;  // in the local header

}  // namespace

ZipWriter::ZipWriter(OutputFile& out, ZipAlignment alignment) : out_(out), alignment_(alignment) {}

ZipWriter::Record& ZipWriter::begin(const std::string& name, std::uint64_t size) {
  if (name.empty() || name.size() > 0xFFFF)
    throw internal_error("a zip record needs a name of at most 65535 bytes");
  if (!names_.insert(name).second) {
    throw internal_error("two zip records have the name '" + name + "'");
  }
  const bool large = size >= in_zip64_32;
  Fields extra;
  if (large) extra.u16(zip::extra_zip64).u16(16).u64(size).u64(size);
  if (alignment_ != ZipAlignment::none) {
    const std::uint64_t step = static_cast<std::uint16_t>(alignment_);
    const std::uint64_t start = out_.position() + zip::local_size + name.size() + extra.bytes().size() + 4;
    const std::uint64_t padding = (step - start % step) % step;
    extra.u16(zip::extra_torch_padding).u16(padding).fill(padding, zip::torch_padding_byte);
  }
  records_.push_back({.name = name, .crc = 0, .size = size, .offset = out_.position()});
  Fields header;
  header.u32(zip::local_signature)
      .u16(large ? zip::version_zip64 : zip::version_plain)
      .u16(flags_for(name))
      .u16(0)  // stored
      .u16(0)
      .u16(zip::first_day)
      .u32(0)  // the CRC: set_crc()
      .u32(capped(size))
      .u32(capped(size))
      .u16(name.size())
      .u16(extra.bytes().size())
      .text(name);
  out_.write(header.bytes());
  out_.write(extra.bytes());
  return records_.back();
}

void ZipWriter::set_crc(Record& record, std::uint32_t crc) {
  record.crc = crc;
  Fields field;
  field.u32(crc);
  out_.write_at(record.offset + crc_position, field.bytes());
}

void ZipWriter::add(const std::string& name, Bytes payload) {
  Record& record = begin(name, payload.size());
  out_.write(payload);
  set_crc(record, crc32_of(payload));
}

void ZipWriter::add(const std::string& name, std::string_view payload) {
  add(name, std::as_bytes(std::span(payload.data(), payload.size())));
}

void ZipWriter::add(const std::string& name, Payload payload) {
  begin(name, payload.size);
  large_records_.push_back(records_.size() - 1);
  large_.push_back({out_.position(), std::move(payload)});
  out_.skip(large_.back().payload.size);
}

void ZipWriter::write_large(PayloadOptions options) {
  options.with_crcs = true;
  const std::vector<std::uint32_t> crcs = write_payloads(out_, large_, options);
  for (std::size_t k = 0; k < crcs.size(); ++k) set_crc(records_[large_records_[k]], crcs[k]);
}

void ZipWriter::finish(PayloadOptions options) {
  write_large(std::move(options));
  const std::uint64_t directory = out_.position();
  for (const Record& record : records_) {
    Fields extra;
    const bool large = record.size >= in_zip64_32;
    const bool far = record.offset >= in_zip64_32;
    if (large || far) {
      extra.u16(zip::extra_zip64).u16((large ? 16U : 0U) + (far ? 8U : 0U));
      if (large) extra.u64(record.size).u64(record.size);
      if (far) extra.u64(record.offset);
    }
    const std::uint16_t version = large || far ? zip::version_zip64 : zip::version_plain;
    Fields entry;
    entry.u32(zip::central_signature).u16(version).u16(version).u16(flags_for(record.name)).u16(0).u16(0);
    entry.u16(zip::first_day).u32(record.crc).u32(capped(record.size)).u32(capped(record.size));
    entry.u16(record.name.size()).u16(extra.bytes().size()).u16(0).u16(0).u16(0).u32(0);
    entry.u32(capped(record.offset)).text(record.name);
    out_.write(entry.bytes());
    out_.write(extra.bytes());
  }
  const std::uint64_t end = out_.position();
  const std::uint64_t size = end - directory;
  const std::uint64_t count = records_.size();
  Fields tail;
  if (count >= in_zip64_16 || size >= in_zip64_32 || directory >= in_zip64_32) {
    tail.u32(zip::zip64_signature).u64(zip::zip64_size - 12).u16(zip::version_zip64).u16(zip::version_zip64);
    tail.u32(0).u32(0).u64(count).u64(count).u64(size).u64(directory);
    tail.u32(zip::locator_signature).u32(0).u64(end).u32(1);
  }
  const std::uint64_t short_count = std::min<std::uint64_t>(count, in_zip64_16);
  tail.u32(zip::end_signature).u16(0).u16(0).u16(short_count).u16(short_count);
  tail.u32(capped(size)).u32(capped(directory)).u16(0);
  out_.write(tail.bytes());
}

}  // namespace tieout
