// Writing protocol buffers (see message_reader.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tieout::protobuf {

void append_varint(std::string& out, std::uint64_t value);

// Fields in the order of the calls. Those that proto3 leaves out (zero, empty text) are for the caller to
// leave out.
class MessageWriter {
 public:
  void varint(std::uint32_t number, std::uint64_t value);
  void fixed32(std::uint32_t number, std::uint32_t value);
  void bytes(std::uint32_t number, std::string_view value);  // also text and embedded messages

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace tieout::protobuf
