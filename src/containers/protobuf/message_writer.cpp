#include "containers/protobuf/message_writer.h"

namespace tieout::protobuf {

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void MessageWriter::varint(std::uint32_t number, std::uint64_t value) {
  append_varint(text_, std::uint64_t{number} << 3);
  append_varint(text_, value);
}

void MessageWriter::fixed32(std::uint32_t number, std::uint32_t value) {
  append_varint(text_, std::uint64_t{number} << 3 | 5);
  for (int shift = 0; shift < 32; shift += 8) text_ += static_cast<char>(value >> shift);
}

void MessageWriter::bytes(std::uint32_t number, std::string_view value) {
  append_varint(text_, std::uint64_t{number} << 3 | 2);
  append_varint(text_, value.size());
  text_ += value;
}

}  // namespace tieout::protobuf
