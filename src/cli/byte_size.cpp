#include "cli/byte_size.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "tieout/error.h"

namespace tieout::cli {

namespace {

struct Unit {
  std::string_view name;
  double bytes;
};

constexpr std::array<Unit, 10> units{{{"", 1},
                                      {"B", 1},
                                      {"KB", 1e3},
                                      {"MB", 1e6},
                                      {"GB", 1e9},
                                      {"TB", 1e12},
                                      {"KIB", 0x1p10},
                                      {"MIB", 0x1p20},
                                      {"GIB", 0x1p30},
                                      {"TIB", 0x1p40}}};
constexpr double most = 0x1p62;

}  // namespace

std::uint64_t parse_bytes(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string name;
  for (const char c : std::string_view(end, text.data() + text.size())) {
    if (c != ' ') name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  const auto* unit = std::ranges::find(units, name, &Unit::name);
  const double bytes = unit == units.end() ? 0 : std::floor(number * unit->bytes);
  if (error != std::errc() || !(bytes >= 1) || bytes > most)
    throw usage_error("'" + text + "' is no size", "write it as 500MB, 5GB or 2GiB");
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace tieout::cli
