#include <doctest/doctest.h>

#include "containers/json/json_text.h"
#include "containers/utf8.h"

using namespace tieout;

namespace {

Error error_of(const std::string& text) {
  try {
    parse_json(text, {.file = "m.keras", .entry = "config.json", .offset = {}, .tensor = {}, .layer = {}});
  } catch (const Error& error) {
    return error;
  }
  return internal_error("parsed");
}

}  // namespace

TEST_CASE("members keep the text's order") {
  CHECK(parse_json(R"({"b": 1, "a": [1.5, null]})", {}).dump() == R"({"b":1,"a":[1.5,null]})");
}

TEST_CASE("broken text is malformed at its byte") {
  const Error error = error_of("[1, 2,, 3]");
  CHECK(error.kind() == ErrorKind::malformed);
  CHECK(error.where().offset == 6);
  CHECK(error.where().entry == "config.json");
  CHECK(error_of("").kind() == ErrorKind::malformed);
}

TEST_CASE("nesting is bounded, brackets inside strings do not count") {
  CHECK_NOTHROW(parse_json(std::string(256, '[') + std::string(256, ']'), {}));
  CHECK(error_of(std::string(257, '[') + std::string(257, ']')).where().offset == 256);
  CHECK_NOTHROW(parse_json("\"" + std::string(1000, '[') + "\\\"[\"", {}));
}

TEST_CASE("the message about bytes that are no text is text") {
  // The second is UTF-8, of which the parser has read one byte when it gives up.
  for (const char* text : {"{\"a\": \"\xFF\"}", "\xC3\xA9"}) {
    const Error error = error_of(text);
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(is_utf8(error.what()));
  }
}
