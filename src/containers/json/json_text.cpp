#include "containers/json/json_text.h"

#include <cstdint>
#include <string>

#include "containers/utf8.h"

namespace tieout {

namespace {

Error at_byte(const std::string& message, Where where, std::uint64_t offset) {
  where.offset = offset;
  return malformed(message, std::move(where));
}

// nlohmann parses without recursion but prints and copies with it, so depth is bounded before parsing.
void check_depth(std::string_view text, const Where& where) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '}' || c == ']') --depth;
    if ((c == '{' || c == '[') && ++depth > max_json_depth) {
      throw at_byte("JSON nested deeper than " + std::to_string(max_json_depth) + " levels", where, i);
    }
  }
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax error ...".
// It ends with what was read last, which may be no text; the message must be, since it is printed as JSON
// too.
std::string plain_reason(const std::string& what) {
  if (!is_utf8(what)) return "there is a byte that no JSON text has there";
  const auto colon = what.find(": ");
  return colon == std::string::npos ? what : what.substr(colon + 2);
}

}  // namespace

nlohmann::ordered_json parse_json(std::string_view text, const Where& where) {
  check_depth(text, where);
  try {
    return nlohmann::ordered_json::parse(text.begin(), text.end());
  } catch (const nlohmann::ordered_json::parse_error& error) {
    // `byte` counts from 1 and names the last byte read.
    throw at_byte("not JSON: " + plain_reason(error.what()), where, error.byte == 0 ? 0 : error.byte - 1);
  } catch (const nlohmann::ordered_json::out_of_range& error) {
    throw at_byte("not JSON: " + plain_reason(error.what()), where, 0);
  }
}

}  // namespace tieout
