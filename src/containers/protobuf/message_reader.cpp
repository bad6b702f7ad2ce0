#include "containers/protobuf/message_reader.h"

#include <string>

namespace tieout::protobuf {

std::uint64_t take_varint(ByteReader& reader, std::string_view what) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint64_t byte = reader.u8(what);
    const std::uint64_t bits = byte & 0x7F;
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if (byte < 0x80) return value;
  }
  throw reader.error("a varint of more than 64 bits (" + std::string(what) + ")");
}

void Field::expect(Wire wire) const {
  if (wire_ == wire) return;
  Where where = *where_;
  where.offset = offset_;
  throw malformed("the field " + std::to_string(number) + " of a message has the wire type " +
                      std::to_string(static_cast<int>(wire_)) + " where " +
                      std::to_string(static_cast<int>(wire)) + " is expected",
                  where);
}

std::uint64_t Field::varint() const {
  expect(Wire::varint);
  return value_;
}

std::uint32_t Field::fixed32() const {
  expect(Wire::fixed32);
  return static_cast<std::uint32_t>(value_);
}

Bytes Field::bytes() const {
  expect(Wire::bytes);
  return bytes_;
}

std::string_view Field::text() const {
  const Bytes text = bytes();
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

MessageReader Field::message() const {
  return {bytes(), *where_, offset_};
}

MessageReader::MessageReader(Bytes bytes, const Where& where, std::uint64_t base)
    : where_(where), base_(base), reader_(bytes, where, base) {}

bool MessageReader::next(Field& field) {
  if (reader_.at_end()) return false;
  const std::uint64_t key = take_varint(reader_, "a field's key");
  const std::uint64_t number = key >> 3;
  if (number == 0 || number >= (1U << 29))
    throw reader_.error("a field has the number " + std::to_string(number));
  field = {};
  field.number = static_cast<std::uint32_t>(number);
  field.wire_ = static_cast<Field::Wire>(key & 7);
  field.where_ = &where_;
  switch (field.wire_) {
    case Field::Wire::varint:
      field.offset_ = base_ + reader_.position();
      field.value_ = take_varint(reader_, "a field's number");
      return true;
    case Field::Wire::fixed64:
      field.offset_ = base_ + reader_.position();
      field.value_ = reader_.u64("a field's fixed64");
      return true;
    case Field::Wire::fixed32:
      field.offset_ = base_ + reader_.position();
      field.value_ = reader_.u32("a field's fixed32");
      return true;
    case Field::Wire::bytes: {
      const std::uint64_t size = take_varint(reader_, "a field's length");
      field.offset_ = base_ + reader_.position();
      field.bytes_ = reader_.take(size, "a field's bytes");
      return true;
    }
  }
  throw reader_.error("a field has the wire type " + std::to_string(key & 7));
}

}  // namespace tieout::protobuf
