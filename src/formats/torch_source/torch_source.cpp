#include "formats/torch_source/torch_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>

#include "formats/torch_source/block_text.h"
#include "formats/torch_source/forward_names.h"
#include "formats/torch_source/outline.h"
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

std::string forward_method(const Outline& outline) {
  const ForwardNames names = name_values(outline.model);
  std::string signature = "def forward(self";
  for (const std::string& argument : names.arguments) signature += ", " + argument;
  std::string results;
  for (const ValueRef& output : outline.model.outputs)
    results += (results.empty() ? "" : ", ") + names.value(output);
  return lay_out(signature + "):", 4) + forward_lines(outline) + "        return" +
         (results.empty() ? "" : " " + results) + "\n";
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
  const Outline outline = outline_of(model);
  const std::string init = constructors(outline);
  std::string code = definitions(model) + "class " + class_name + "(nn.Module):\n" + docstring(model) + "\n";
  if (!init.empty()) code += "    def __init__(self):\n        super().__init__()\n" + init + "\n";
  for (const Block& block : outline.blocks)
    code += add_method(model, block) + "\n" + call_method(model, block) + "\n";
  code += forward_method(outline);
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
