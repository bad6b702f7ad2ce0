// Text for a terminal, some of which comes from strangers' files.
#pragma once

#include <string>
#include <string_view>

namespace tieout {

// `text` with each character that a terminal obeys instead of showing it as an escape: "\x1b", "\n",
// "\u202e". These are the control characters (Unicode's class Cc) and those that turn the direction of
// writing, by which a name can look like another
// (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
std::string printable(std::string_view text);

enum class Colour { green, red, yellow };

// `text` as it is when `colours` is false.
std::string coloured(const std::string& text, Colour colour, bool colours);

}  // namespace tieout
