#include "base/byte_reader.h"

#include <algorithm>
#include <utility>

namespace tieout {

ByteReader::ByteReader(Bytes bytes, Where where, std::uint64_t base)
    : bytes_(bytes), where_(std::move(where)), base_(base) {}

Error ByteReader::error(const std::string& message) const {
  Where where = where_;
  where.offset = base_ + position_;
  return malformed(message, where);
}

void ByteReader::seek(std::uint64_t position) {
  if (position > bytes_.size()) {
    throw error("an offset of " + std::to_string(position) + " lies past the end at " +
                std::to_string(bytes_.size()));
  }
  position_ = position;
}

void ByteReader::skip(std::uint64_t count) {
  take(count);
}

Bytes ByteReader::take(std::uint64_t count, std::string_view what) {
  if (count > remaining()) {
    throw error("expected " + std::to_string(count) + " bytes of " + std::string(what) + ", found " +
                std::to_string(remaining()));
  }
  const Bytes taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

std::string_view ByteReader::take_text(std::uint64_t count, std::string_view what) {
  const Bytes taken = take(count, what);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string_view ByteReader::take_line(std::string_view what) {
  const Bytes rest = bytes_.subspan(position_);
  const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
  if (end == rest.end()) throw error("expected a line of " + std::string(what) + ", found no end of line");
  const auto length = static_cast<std::uint64_t>(end - rest.begin());
  const std::string_view line = take_text(length, what);
  skip(1);
  return line;
}

}  // namespace tieout
