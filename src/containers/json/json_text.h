// JSON text from files of strangers.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "tieout/error.h"

namespace tieout {

// Arrays and objects inside each other; what frameworks write stays below 40.
constexpr int max_json_depth = 256;

// Parses one JSON value, objects in the text's order. Error(malformed) with `where` and the byte offset when
// the text is not JSON or nests deeper than max_json_depth.
nlohmann::ordered_json parse_json(std::string_view text, const Where& where);

}  // namespace tieout
