// Breaking long lines of Python as `ruff format` breaks them.
#pragma once

#include <string>

namespace tieout::torch_source {

constexpr std::size_t line_width = 88;  // ruff's default

// One statement with the indent before it, as one line or several, each ending with '\n'. Where it is too
// long, the last pair of brackets is opened: a call's arguments go to a line of their own if they fit there,
// otherwise one a line; a tuple's items always one a line. A statement without brackets stays as it is.
std::string lay_out(const std::string& statement, std::size_t indent);

}  // namespace tieout::torch_source
