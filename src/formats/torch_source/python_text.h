// Names and literals of Python that are safe to write, whatever the file said.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "model/framework_model.h"

namespace tieout::torch_source {

// "conv2d"; not a keyword.
bool is_identifier(std::string_view name);
// ASCII letters, digits and underscores, not beginning with a digit or an underscore, not a keyword:
// "conv2d/a" -> "conv2d_a", "0" -> "layer_0", "" -> "layer", "class" -> "class_".
std::string identifier(std::string_view name);
// "my-net_v2" -> "MyNetV2"; "" -> "Model".
std::string class_identifier(std::string_view name);

// `wanted`, or wanted_2 and so on where it is taken; taken from then on.
std::string unique(const std::string& wanted, std::set<std::string>& taken);

// None, True, 3, 1e-05, "text", tuples for arrays, dicts for objects; quotes as `ruff format` chooses them.
std::string literal(const Json& value);
std::string string_literal(std::string_view text);

}  // namespace tieout::torch_source
