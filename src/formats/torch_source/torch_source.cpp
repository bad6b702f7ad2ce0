#include "formats/torch_source/torch_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>

#include "formats/torch_source/forward_names.h"
#include "formats/torch_source/python_layout.h"
#include "formats/torch_source/python_text.h"

namespace tieout {

namespace {

using namespace torch_source;

// What torch.nn.Module has already (torch/nn/modules/module.py): a submodule of that name would hide it.
// Names that begin with an underscore never come here.
constexpr std::array<std::string_view, 58> module_attributes{"T_destination",
                                                             "add_module",
                                                             "apply",
                                                             "bfloat16",
                                                             "buffers",
                                                             "call_super_init",
                                                             "children",
                                                             "compile",
                                                             "cpu",
                                                             "cuda",
                                                             "double",
                                                             "dump_patches",
                                                             "eval",
                                                             "extra_repr",
                                                             "float",
                                                             "forward",
                                                             "get_buffer",
                                                             "get_extra_state",
                                                             "get_parameter",
                                                             "get_submodule",
                                                             "half",
                                                             "ipu",
                                                             "load_state_dict",
                                                             "modules",
                                                             "mtia",
                                                             "named_buffers",
                                                             "named_children",
                                                             "named_modules",
                                                             "named_parameters",
                                                             "parameters",
                                                             "register_backward_hook",
                                                             "register_buffer",
                                                             "register_forward_hook",
                                                             "register_forward_pre_hook",
                                                             "register_full_backward_hook",
                                                             "register_full_backward_pre_hook",
                                                             "register_load_state_dict_post_hook",
                                                             "register_load_state_dict_pre_hook",
                                                             "register_module",
                                                             "register_parameter",
                                                             "register_state_dict_post_hook",
                                                             "register_state_dict_pre_hook",
                                                             "requires_grad_",
                                                             "set_extra_state",
                                                             "set_submodule",
                                                             "share_memory",
                                                             "state_dict",
                                                             "to",
                                                             "to_empty",
                                                             "train",
                                                             "training",
                                                             "type",
                                                             "xpu",
                                                             "zero_grad",
                                                             "hpu",
                                                             "mps",
                                                             "self",
                                                             "super"};

constexpr std::size_t body = 8;  // spaces before a statement of a method

constexpr std::string_view own_classes = "tieout.";

bool is_function(const FrameworkNode& node) {
  const std::string& name = node.class_name;
  if (name.starts_with(own_classes)) return false;
  return name.starts_with("torch.") || (!name.empty() && name.front() >= 'a' && name.front() <= 'z');
}

Error cannot_write(const FrameworkNode& node, const std::string& message) {
  return unsupported(message, {.file = {}, .entry = {}, .offset = {}, .tensor = {}, .layer = node.name});
}

// "nn.Conv2d(in_channels=1, out_channels=6, kernel_size=(5, 5))"
std::string constructor(const FrameworkNode& node) {
  const bool is_own = node.class_name.starts_with(own_classes);
  const std::string class_name = is_own ? node.class_name.substr(own_classes.size()) : node.class_name;
  if (!is_identifier(class_name)) {
    throw cannot_write(node, "the class '" + node.class_name + "' cannot be written as PyTorch source");
  }
  std::string arguments;
  for (const auto& [name, value] : node.settings.items()) {
    // Said by the call, not by the constructor: "_returns" of a recurrent layer.
    if (value.is_null() || name.starts_with('_')) continue;
    if (!is_identifier(name)) throw cannot_write(node, "the setting '" + name + "' is not a Python name");
    arguments += (arguments.empty() ? "" : ", ") + name + "=" + literal(value);
  }
  return (is_own ? "" : "nn.") + class_name + "(" + arguments + ")";
}

std::string attribute_of(const FrameworkNode& node) {
  const std::string attribute = torch_attribute_name(node.name);
  if (attribute != node.name && !node.parameters.empty()) {
    throw cannot_write(node, "a layer with parameters cannot be named '" + node.name + "' in PyTorch source");
  }
  return attribute;
}

// The lines of __init__. A module that several nodes call is made once.
std::string constructors(const FrameworkModel& model) {
  std::string text;
  std::map<std::string, std::string> made;
  for (const FrameworkNode& node : model.nodes) {
    if (is_function(node)) continue;
    const std::string attribute = attribute_of(node);
    const std::string value = constructor(node);
    const auto [found, is_new] = made.emplace(attribute, value);
    if (!is_new && found->second != value) {
      throw cannot_write(node, "two different layers would both be '" + attribute + "' in PyTorch source");
    }
    if (is_new) text += lay_out("self." + attribute + " = " + value, body);
  }
  return text;
}

std::string arguments_of(const FrameworkNode& node, const ForwardNames& names) {
  std::string text;
  for (const NodeInput& input : node.inputs) {
    text += text.empty() ? "" : ", ";
    if (!input.keyword.empty()) text += input.keyword + "=";
    text += names.value(input.value);
  }
  return text;
}

std::string default_call(const FrameworkNode& node) {
  if (is_function(node)) return node.class_name + "({*})";
  return node.inputs.size() == 1 ? "{module}({0})" : "{module}({*})";
}

// The node's expression with every placeholder filled.
std::string expression(const FrameworkNode& node, const ForwardNames& names) {
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
      text += "self." + torch_attribute_name(node.name);
    } else if (placeholder == "*") {
      text += arguments_of(node, names);
    } else {
      const bool is_number = !placeholder.empty() && placeholder.size() <= 4 &&
                             std::ranges::all_of(placeholder, [](char c) { return c >= '0' && c <= '9'; });
      const std::size_t index = is_number ? std::stoul(placeholder) : node.inputs.size();
      if (index >= node.inputs.size())
        throw internal_error("the call '" + call + "' has no input {" + placeholder + "}");
      text += names.value(node.inputs[index].value);
    }
    at = close + 1;
  }
  return text;
}

// One line of forward(), its comment behind it, or before it where the line is full.
std::string forward_line(const FrameworkNode& node, const std::string& variable, const ForwardNames& names) {
  const std::string statement = variable + " = " + expression(node, names);
  if (node.comment.empty()) return lay_out(statement, body);
  const std::string commented = statement + "  # " + node.comment;
  if (body + commented.size() <= line_width) return std::string(body, ' ') + commented + "\n";
  return std::string(body, ' ') + "# " + node.comment + "\n" + lay_out(statement, body);
}

std::string forward_method(const FrameworkModel& model) {
  const ForwardNames names = name_values(model);
  std::string signature = "def forward(self";
  for (const std::string& argument : names.arguments) signature += ", " + argument;
  std::string text = lay_out(signature + "):", 4);
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    text += forward_line(model.nodes[i], names.variables[i], names);
  }
  std::string results;
  for (const ValueRef& output : model.outputs) results += (results.empty() ? "" : ", ") + names.value(output);
  return text + std::string(body, ' ') + "return" + (results.empty() ? "" : " " + results) + "\n";
}

// "(N, 1, 28, 28)": N is the batch, other letters are sizes that only the input decides.
std::string letters(const Shape& shape) {
  constexpr std::string_view free = "LMPQRSTUVW";
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += i == 0 ? "" : ", ";
    if (shape[i] != unknown) {
      text += std::to_string(shape[i]);
    } else {
      text += i == 0 ? std::string("N") : std::string(1, free[next++ % free.size()]);
    }
  }
  return shape.size() == 1 ? "(" + text + ",)" : "(" + text + ")";
}

// Whatever stands in the docstring cannot end it.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_safe = static_cast<unsigned char>(c) >= 0x20 && c != 0x7F && c != '"' && c != '\\';
    out.push_back(is_safe ? c : '_');
  }
  return out;
}

std::string docstring(const FrameworkModel& model) {
  const ForwardNames names = name_values(model);
  std::string text = "    \"\"\"Takes and returns, with N for the batch:\n\n";
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const ModelInput& input = model.inputs[i];
    text += "    " + names.arguments[i] + ": " + (input.shape.empty() ? "any shape" : letters(input.shape)) +
            ", " + std::string(to_string(input.dtype)) + "\n";
  }
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const ValueRef& output = model.outputs[i];
    std::string shape = "any shape";
    if (output.node >= 0 && !model.nodes.at(static_cast<std::size_t>(output.node)).comment.empty()) {
      shape = plain(model.nodes.at(static_cast<std::size_t>(output.node)).comment);
    }
    text += "    returns";
    if (model.outputs.size() > 1) text += "[" + std::to_string(i) + "]";
    text += ": " + shape + "\n";
  }
  return text + "    \"\"\"\n";
}

// The classes that PyTorch does not have, each once.
std::string definitions(const FrameworkModel& model) {
  std::string text;
  std::map<std::string, std::string> defined;
  for (const FrameworkNode& node : model.nodes) {
    if (node.definition.empty()) continue;
    const auto [found, is_new] = defined.emplace(node.class_name, node.definition);
    if (!is_new && found->second != node.definition)
      throw internal_error("the class " + node.class_name + " has two definitions");
    if (is_new) text += node.definition + "\n\n";
  }
  return text;
}

// Whether the code speaks of `module.something`.
bool uses(const std::string& code, const std::string& module) {
  const std::string wanted = module + ".";
  for (std::size_t at = code.find(wanted); at != std::string::npos; at = code.find(wanted, at + 1)) {
    const char before = at == 0 ? ' ' : code[at - 1];
    if (std::isalnum(static_cast<unsigned char>(before)) == 0 && before != '_' && before != '.') return true;
  }
  return false;
}

// Those that the code needs, in ruff's order.
std::string imports(const std::string& code) {
  std::string text;
  if (uses(code, "math")) text += "import math\n\n";
  if (uses(code, "torch")) text += "import torch\n";
  text += "from torch import nn\n";
  if (uses(code, "F")) text += "from torch.nn import functional as F\n";
  return text;
}

}  // namespace

std::string torch_attribute_name(const std::string& name) {
  std::string attribute = identifier(name);
  if (std::ranges::find(module_attributes, attribute) != module_attributes.end()) attribute += "_";
  return attribute;
}

std::string torch_source_text(const FrameworkModel& model) {
  const std::string class_name = class_identifier(model.name);
  const std::string init = constructors(model);
  std::string code = definitions(model) + "class " + class_name + "(nn.Module):\n" + docstring(model) + "\n";
  if (!init.empty()) code += "    def __init__(self):\n        super().__init__()\n" + init + "\n";
  code += forward_method(model);
  return "\"\"\"" + class_name +
         " in PyTorch, written by tieout; its weights are in the file beside this one.\"\"\"\n\n" +
         imports(code) + "\n\n" + code;
}

bool wants_source(const FrameworkModel& model) {
  if (!model.has_architecture || !model.document.is_null()) return false;
  const auto is_written = [](const FrameworkNode& node) {
    return !node.call.empty() || !node.comment.empty();
  };
  // Without nodes it gives its inputs back.
  return model.nodes.empty() || std::ranges::any_of(model.nodes, is_written);
}

std::unique_ptr<OutputFile> write_torch_source(const FrameworkModel& model, const std::string& path,
                                               bool overwrite) {
  const std::size_t slash = path.find_last_of('/');
  const std::size_t dot = path.rfind('.');
  const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  auto out = std::make_unique<OutputFile>((has_suffix ? path.substr(0, dot) : path) + ".py", overwrite);
  out->write(torch_source_text(model));
  return out;
}

}  // namespace tieout
