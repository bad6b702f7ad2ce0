#include "report/terminal.h"

#include <fmt/format.h>

#include <cstdint>

namespace tieout {

namespace {

// The character at the beginning of `text` and its length, where it has two or three bytes of UTF-8 and may
// be one that is escaped; a single byte otherwise.
struct Character {
  std::uint32_t code;
  std::size_t length;
};

Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t k) {
    return k < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[k])) : 0U;
  };
  const auto follows = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
  if ((byte(0) & 0xE0U) == 0xC0U && follows(1)) return {(byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU), 2};
  if ((byte(0) & 0xF0U) == 0xE0U && follows(1) && follows(2))
    return {(byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU), 3};
  return {byte(0), 1};
}

bool is_obeyed(Character character) {
  const std::uint32_t code = character.code;
  if (character.length == 1) return code < 0x20 || code == 0x7F;
  return code < 0xA0 || code == 0x61C || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string escaped(std::uint32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return code < 0x100 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
  }
}

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::green:
      return "\x1b[32m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::yellow:
      break;
  }
  return "\x1b[33m";
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const Character character = first_of(text);
    shown += is_obeyed(character) ? escaped(character.code) : std::string(text.substr(0, character.length));
    text.remove_prefix(character.length);
  }
  return shown;
}

std::string coloured(const std::string& text, Colour colour, bool colours) {
  return colours ? code_of(colour) + text + "\x1b[0m" : text;
}

}  // namespace tieout
