#include "formats/torch_source/block_text.h"

#include <algorithm>
#include <array>

#include "formats/torch_source/forward_names.h"
#include "formats/torch_source/node_text.h"
#include "formats/torch_source/python_layout.h"
#include "formats/torch_source/shape_letters.h"

namespace tieout::torch_source {

namespace {

constexpr std::size_t body = 8;  // spaces before a statement of a method

// The name of a layer of the block: f"{name}_1_conv".
std::string name_text(const std::string& end) {
  return end.empty() ? "name" : "f\"{name}" + end + "\"";
}

const FrameworkNode& node_of(const FrameworkModel& model, const Block& block, std::size_t repeat,
                             std::size_t k) {
  return model.nodes[block.repeats[repeat].first + k];
}

std::string comment_of(const FrameworkModel& model, const ValueRef& value) {
  return value.node < 0 ? "" : model.nodes[static_cast<std::size_t>(value.node)].comment;
}

// The value that comes into a repeat.
ValueRef entry_of(const FrameworkModel& model, const BlockRepeat& repeat) {
  return model.nodes[repeat.first].inputs.front().value;
}

// The variable of each node: the first of x, y, z, ... whose value is not needed any more.
std::vector<std::string> variables_of(const FrameworkModel& model, const Block& block) {
  constexpr std::array<std::string_view, 5> short_names{"x", "y", "z", "v", "w"};
  const std::vector<int> last_uses = find_last_uses(model).nodes;
  const std::size_t first = block.repeats.front().first;
  const ValueRef entry = entry_of(model, block.repeats.front());
  std::vector<int> needed_until{0};  // by variable; x holds the entry first
  for (std::size_t k = 0; k < block.length; ++k) {
    for (const NodeInput& input : model.nodes[first + k].inputs) {
      if (input.value == entry) needed_until[0] = static_cast<int>(first + k);
    }
  }
  std::vector<std::string> names;
  for (std::size_t k = 0; k < block.length; ++k) {
    const auto found =
        std::ranges::find_if(needed_until, [&](int until) { return until <= static_cast<int>(first + k); });
    const auto variable = static_cast<std::size_t>(found - needed_until.begin());
    if (found == needed_until.end()) needed_until.push_back(0);
    needed_until[variable] = last_uses[first + k];
    names.push_back(variable < short_names.size() ? std::string(short_names[variable])
                                                  : "x" + std::to_string(variable));
  }
  return names;
}

// The shapes of node k's outputs in all repeats.
std::string common_comment(const FrameworkModel& model, const Block& block, std::size_t k,
                           ShapeLetters& letters) {
  std::vector<std::string> comments;
  for (std::size_t r = 0; r < block.repeats.size(); ++r)
    comments.push_back(node_of(model, block, r, k).comment);
  return letters.common(comments);
}

std::string call_docstring(const FrameworkModel& model, const Block& block, ShapeLetters& letters) {
  std::vector<std::string> entries;
  for (const BlockRepeat& repeat : block.repeats)
    entries.push_back(comment_of(model, entry_of(model, repeat)));
  const std::string before = letters.common(entries);
  const std::string after = common_comment(model, block, block.length - 1, letters);
  if (before.empty() || after.empty()) return "";
  return std::string(body, ' ') + "\"\"\"" + before + " -> " + after + "\"\"\"\n";
}

}  // namespace

std::string add_method_name(const Block& block) {
  return "_add" + block.method;
}

std::string add_method(const FrameworkModel& model, const Block& block) {
  std::string signature = "def " + add_method_name(block) + "(self, name";
  for (const std::string& variable : block.variables) signature += ", " + variable;
  std::string text = lay_out(signature + "):", 4) + std::string(body, ' ') + "layers = {\n";
  for (std::size_t k = 0; k < block.length; ++k) {
    const FrameworkNode& node = node_of(model, block, 0, k);
    if (is_function(node)) continue;
    const std::string made = constructor(node, block.arguments[k]);
    text += lay_out(name_text(block.ends[k]) + ": " + made + ",", body + 4);
  }
  return text +
         "        }\n        for key, layer in layers.items():\n            self.add_module(key, layer)\n";
}

std::string call_method(const FrameworkModel& model, const Block& block) {
  const std::vector<std::string> variables = variables_of(model, block);
  const Suffixes suffixes = find_suffixes(model);
  const std::size_t first = block.repeats.front().first;
  const auto value = [&](const ValueRef& ref) -> std::string {
    if (ref.node < static_cast<int>(first)) return "x";
    const auto node = static_cast<std::size_t>(ref.node);
    const auto output = static_cast<std::size_t>(ref.output);
    return variables[node - first] + (output < suffixes[node].size() ? suffixes[node][output] : "");
  };
  ShapeLetters letters;
  std::string text = "    def " + block.method + "(self, x, name):\n" + call_docstring(model, block, letters);
  for (std::size_t k = 0; k < block.length; ++k) {
    const std::string module = "getattr(self, " + name_text(block.ends[k]) + ")";
    const std::string statement =
        variables[k] + " = " + expression(node_of(model, block, 0, k), module, value);
    text += commented(statement, common_comment(model, block, k, letters), body);
  }
  return text + "        return " + variables.back() + "\n";
}

}  // namespace tieout::torch_source
