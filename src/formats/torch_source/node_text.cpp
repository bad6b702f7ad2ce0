#include "formats/torch_source/node_text.h"

#include <algorithm>
#include <string_view>

#include "formats/torch_source/python_layout.h"
#include "formats/torch_source/python_text.h"
#include "formats/torch_source/torch_source.h"

namespace tieout::torch_source {

namespace {

constexpr std::string_view own_classes = "tieout.";

std::string inputs_of(const FrameworkNode& node, const std::function<std::string(const ValueRef&)>& value) {
  std::string text;
  for (const NodeInput& input : node.inputs) {
    text += text.empty() ? "" : ", ";
    if (!input.keyword.empty()) text += input.keyword + "=";
    text += value(input.value);
  }
  return text;
}

std::string default_call(const FrameworkNode& node) {
  if (is_function(node)) return node.class_name + "({*})";
  return node.inputs.size() == 1 ? "{module}({0})" : "{module}({*})";
}

}  // namespace

bool is_function(const FrameworkNode& node) {
  const std::string& name = node.class_name;
  if (name.starts_with(own_classes)) return false;
  return name.starts_with("torch.") || (!name.empty() && name.front() >= 'a' && name.front() <= 'z');
}

Error cannot_write(const FrameworkNode& node, const std::string& message) {
  return unsupported(message, {.file = {}, .entry = {}, .offset = {}, .tensor = {}, .layer = node.name});
}

std::string attribute_of(const FrameworkNode& node) {
  const std::string attribute = torch_attribute_name(node.name);
  if (attribute != node.name && !node.parameters.empty()) {
    throw cannot_write(node, "a layer with parameters cannot be named '" + node.name + "' in PyTorch source");
  }
  return attribute;
}

Arguments arguments_of(const FrameworkNode& node) {
  Arguments arguments;
  for (const auto& [name, value] : node.settings.items()) {
    // Said by the call, not by the constructor: "_returns" of a recurrent layer.
    if (value.is_null() || name.starts_with('_')) continue;
    if (!is_identifier(name)) throw cannot_write(node, "the setting '" + name + "' is not a Python name");
    arguments.emplace_back(name, literal(value));
  }
  return arguments;
}

std::string constructor(const FrameworkNode& node, const Arguments& arguments) {
  const bool is_own = node.class_name.starts_with(own_classes);
  const std::string class_name = is_own ? node.class_name.substr(own_classes.size()) : node.class_name;
  if (!is_identifier(class_name)) {
    throw cannot_write(node, "the class '" + node.class_name + "' cannot be written as PyTorch source");
  }
  std::string text;
  for (const auto& [name, value] : arguments) text += (text.empty() ? "" : ", ") + name + "=" + value;
  return (is_own ? "" : "nn.") + class_name + "(" + text + ")";
}

std::string expression(const FrameworkNode& node, const std::string& module,
                       const std::function<std::string(const ValueRef&)>& value) {
  const std::string call = node.call.empty() ? default_call(node) : node.call;
  std::string text;
  for (std::size_t at = 0; at < call.size();) {
    const std::size_t open = std::min(call.find('{', at), call.size());
    text += call.substr(at, open - at);
    if (open == call.size()) break;
    const std::size_t close = call.find('}', open);
    if (close == std::string::npos) throw internal_error("the call '" + call + "' has an open brace");
    const std::string placeholder = call.substr(open + 1, close - open - 1);
    if (placeholder == "module") {
      text += module;
    } else if (placeholder == "*") {
      text += inputs_of(node, value);
    } else {
      const bool is_number = !placeholder.empty() && placeholder.size() <= 4 &&
                             std::ranges::all_of(placeholder, [](char c) { return c >= '0' && c <= '9'; });
      const std::size_t index = is_number ? std::stoul(placeholder) : node.inputs.size();
      if (index >= node.inputs.size())
        throw internal_error("the call '" + call + "' has no input {" + placeholder + "}");
      text += value(node.inputs[index].value);
    }
    at = close + 1;
  }
  return text;
}

std::string commented(const std::string& statement, const std::string& comment, std::size_t indent) {
  if (comment.empty()) return lay_out(statement, indent);
  const std::string whole = statement + "  # " + comment;
  if (indent + whole.size() <= line_width) return std::string(indent, ' ') + whole + "\n";
  return std::string(indent, ' ') + "# " + comment + "\n" + lay_out(statement, indent);
}

}  // namespace tieout::torch_source
