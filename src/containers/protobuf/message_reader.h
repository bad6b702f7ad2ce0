// Reading protocol buffers without their schema: https://protobuf.dev/programming-guides/encoding/
//
// A message is a row of fields: a key (field number << 3 | wire type, as a varint), then the value. What the
// numbers mean is for the caller to know.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"

namespace tieout::protobuf {

// 7 bits a byte, the lowest first; Error(malformed) for more than 64 bits.
std::uint64_t take_varint(ByteReader& reader, std::string_view what);

// One field. The accessors throw Error(malformed) when its wire type is another than they need.
class Field {
 public:
  std::uint32_t number = 0;

  [[nodiscard]] std::uint64_t varint() const;         // uint64, enum, bool; int64 in two's complement
  [[nodiscard]] std::uint32_t fixed32() const;        // fixed32, the bits of a float
  [[nodiscard]] Bytes bytes() const;                  // bytes, packed numbers
  [[nodiscard]] std::string_view text() const;        // string
  [[nodiscard]] class MessageReader message() const;  // an embedded message

 private:
  friend class MessageReader;
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  void expect(Wire wire) const;

  Wire wire_ = Wire::varint;
  std::uint64_t value_ = 0;
  Bytes bytes_;
  std::uint64_t offset_ = 0;  // of the value in the file
  const Where* where_ = nullptr;
};

class MessageReader {
 public:
  // `base` is the offset of bytes[0] in the file, for messages.
  MessageReader(Bytes bytes, const Where& where, std::uint64_t base = 0);

  // The next field, unknown ones included; false at the end. Error(malformed) for what is no field, groups
  // (which proto3 does not have) included. The field is valid as long as the bytes and this reader.
  bool next(Field& field);

 private:
  Where where_;
  std::uint64_t base_;
  ByteReader reader_;
};

}  // namespace tieout::protobuf
