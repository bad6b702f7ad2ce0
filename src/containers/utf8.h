// Text in files of strangers is UTF-8 or it is refused: names go into messages, JSON and other files.
#pragma once

#include <string_view>

namespace tieout {

// Whether `text` is well-formed UTF-8 (RFC 3629: shortest forms only, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace tieout
