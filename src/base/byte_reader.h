// The only code that touches the bytes of a file: a cursor over a span that cannot leave it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "tieout/error.h"

namespace tieout {

using Bytes = std::span<const std::byte>;

// Reads little-endian values from `bytes`. Every read checks what is left first and throws
// Error(malformed) with `where` and the byte offset when it is not there.
class ByteReader {
 public:
  // `base` is the offset of bytes[0] in the file, for messages.
  ByteReader(Bytes bytes, Where where, std::uint64_t base = 0);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t remaining() const { return bytes_.size() - position_; }
  [[nodiscard]] bool at_end() const { return remaining() == 0; }

  void seek(std::uint64_t position);
  void skip(std::uint64_t count);

  // The next `count` bytes, which stay valid as long as the span given to the constructor.
  Bytes take(std::uint64_t count, std::string_view what = "data");
  std::string_view take_text(std::uint64_t count, std::string_view what = "text");
  // Up to and without the next '\n', which is consumed.
  std::string_view take_line(std::string_view what = "line");

  std::uint8_t u8(std::string_view what = "byte") { return number<std::uint8_t>(what); }
  std::uint16_t u16(std::string_view what = "u16") { return number<std::uint16_t>(what); }
  std::uint32_t u32(std::string_view what = "u32") { return number<std::uint32_t>(what); }
  std::uint64_t u64(std::string_view what = "u64") { return number<std::uint64_t>(what); }

  // Error(malformed) at the current position.
  [[nodiscard]] Error error(const std::string& message) const;

 private:
  template <typename T>
  T number(std::string_view what) {
    static_assert(std::endian::native == std::endian::little, "tieout runs on little-endian machines");
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  Bytes bytes_;
  Where where_;
  std::uint64_t base_;
  std::uint64_t position_ = 0;
};

}  // namespace tieout
