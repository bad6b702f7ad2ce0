#include "report/terminal.h"

#include <doctest/doctest.h>

using namespace tieout;

TEST_CASE("What a terminal would obey is shown as an escape") {
  CHECK(printable("conv1.weight") == "conv1.weight");
  CHECK(printable("a\x1b[31mred\nnew\tline\a\x7f") == "a\\x1b[31mred\\nnew\\tline\\x07\\x7f");
  CHECK(printable("\xC2\x9B"
                  "31m") == "\\x9b31m");  // U+009B, the control sequence introducer
  CHECK(printable("b\xE2\x80\xAE"
                  "evil") == "b\\u202eevil");  // U+202E, right-to-left override
  CHECK(printable("\xE2\x81\xA6x\xE2\x81\xA9") == "\\u2066x\\u2069");
  CHECK(printable("\xE2\x80\xA8") == "\\u2028");
}

TEST_CASE("Other characters stay, whole or broken") {
  for (const char* text :
       {"couche_\xC3\xA9t\xC3\xA9", "\xE5\xB1\xA4", "\xF0\x9F\x8E\x89", "\xC2", "\xE2\x80", "\xFF"})
    CHECK(printable(text) == text);
}

TEST_CASE("Colours only where they are asked for") {
  CHECK(coloured("refused", Colour::red, false) == "refused");
  CHECK(coloured("refused", Colour::red, true) == "\x1b[31mrefused\x1b[0m");
}
