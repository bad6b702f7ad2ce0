#include "formats/torch_source/outline.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "formats/torch_source/block_text.h"
#include "formats/torch_source/forward_names.h"
#include "formats/torch_source/node_text.h"
#include "formats/torch_source/python_layout.h"
#include "formats/torch_source/python_text.h"
#include "formats/torch_source/torch_source.h"

namespace tieout::torch_source {

namespace {

constexpr std::size_t body = 8;  // spaces before a statement of a method

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

const BlockRepeat& repeat_of(const Outline& outline, const Step& step) {
  return outline.blocks[static_cast<std::size_t>(step.block)].repeats[step.repeat];
}

struct Numbered {
  std::string stem;
  int number;
};

// "conv4_block12" -> "conv4_block" and 12.
std::optional<Numbered> numbered(const std::string& name) {
  std::size_t begin = name.size();
  while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') --begin;
  const std::size_t digits = name.size() - begin;
  if (digits == 0 || digits > 6 || (digits > 1 && name[begin] == '0')) return std::nullopt;
  return Numbered{name.substr(0, begin), std::stoi(name.substr(begin))};
}

// The names' stem and first number where they count up by one.
std::optional<Numbered> counting(const std::vector<std::string>& names) {
  const auto first = numbered(names.front());
  for (std::size_t k = 0; k < names.size() && first; ++k) {
    if (names[k] != first->stem + std::to_string(first->number + static_cast<int>(k))) return std::nullopt;
  }
  return first;
}

// The same line for several names: one after the other, or a loop where that is not longer. `line` makes the
// statement for a name given as Python.
std::string repeated(const std::vector<std::string>& names, const std::string& comment,
                     const std::function<std::string(const std::string&)>& line) {
  if (const auto count = counting(names); count && names.size() > 2) {
    const int end = count->number + static_cast<int>(names.size());
    return lay_out("for i in range(" + std::to_string(count->number) + ", " + std::to_string(end) + "):",
                   body) +
           commented(line("f\"" + count->stem + "{i}\""), comment, body + 4);
  }
  std::vector<std::string> literals;
  std::string plain;
  for (const std::string& name : names) {
    literals.push_back(string_literal(name));
    plain += commented(line(literals.back()), comment, body);
  }
  if (names.size() == 1) return plain;
  const std::string loop =
      lay_out("for name in (" + joined(literals) + "):", body) + commented(line("name"), comment, body + 4);
  return std::ranges::count(loop, '\n') <= std::ranges::count(plain, '\n') ? loop : plain;
}

// The steps from `first` on that a loop can take together.
template <typename Same>
std::vector<std::string> run_of_names(const Outline& outline, std::size_t first, const Same& same) {
  std::vector<std::string> names{repeat_of(outline, outline.steps[first]).name};
  for (std::size_t i = first + 1; i < outline.steps.size(); ++i) {
    if (outline.steps[i].block != outline.steps[first].block || !same(i)) break;
    names.push_back(repeat_of(outline, outline.steps[i]).name);
  }
  return names;
}

FrameworkNode plain_copy(const FrameworkNode& node) {
  FrameworkNode copy = node;
  copy.definition.clear();
  return copy;
}

// A repeat as one node, which is called through `method`.
FrameworkNode call_node(const FrameworkModel& model, const Block& block, const BlockRepeat& repeat) {
  FrameworkNode node;
  node.name = repeat.name;
  node.inputs = {{model.nodes[repeat.first].inputs.front().value, {}}};
  node.comment = model.nodes[repeat.first + block.length - 1].comment;
  return node;
}

}  // namespace

Outline outline_of(const FrameworkModel& model) {
  Outline outline;
  outline.blocks = find_blocks(model);
  outline.model.inputs = model.inputs;
  std::map<std::size_t, Step> begins;
  for (std::size_t b = 0; b < outline.blocks.size(); ++b) {
    for (std::size_t r = 0; r < outline.blocks[b].repeats.size(); ++r)
      begins[outline.blocks[b].repeats[r].first] = {static_cast<int>(b), r};
  }
  std::vector<int> moved(model.nodes.size());
  const auto place = [&moved](ValueRef& value) {
    if (value.node >= 0) value.node = moved[static_cast<std::size_t>(value.node)];
  };
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto begin = begins.find(i);
    const bool is_plain = begin == begins.end();
    const Step step = is_plain ? Step{} : begin->second;
    FrameworkNode node;
    if (is_plain) {
      node = plain_copy(model.nodes[i]);
    } else {
      const Block& block = outline.blocks[static_cast<std::size_t>(step.block)];
      node = call_node(model, block, block.repeats[step.repeat]);
      i += block.length - 1;
    }
    for (NodeInput& input : node.inputs) place(input.value);
    moved[i] = static_cast<int>(outline.model.nodes.size());
    outline.model.nodes.push_back(std::move(node));
    outline.steps.push_back(step);
  }
  outline.model.outputs = model.outputs;
  for (ValueRef& output : outline.model.outputs) place(output);
  return outline;
}

std::string constructors(const Outline& outline) {
  std::string text;
  std::map<std::string, std::string> made;
  for (std::size_t i = 0; i < outline.steps.size(); ++i) {
    const FrameworkNode& node = outline.model.nodes[i];
    const Step& step = outline.steps[i];
    if (step.block >= 0) {
      const auto& values = repeat_of(outline, step).values;
      const auto names = run_of_names(
          outline, i, [&](std::size_t k) { return repeat_of(outline, outline.steps[k]).values == values; });
      const Block& block = outline.blocks[static_cast<std::size_t>(step.block)];
      text += repeated(names, "", [&](const std::string& name) {
        return "self." + add_method_name(block) + "(" + name + (values.empty() ? "" : ", ") + joined(values) +
               ")";
      });
      i += names.size() - 1;
      continue;
    }
    if (is_function(node)) continue;
    const std::string attribute = attribute_of(node);
    const std::string value = constructor(node, arguments_of(node));
    const auto [found, is_new] = made.emplace(attribute, value);
    if (!is_new && found->second != value) {
      throw cannot_write(node, "two different layers would both be '" + attribute + "' in PyTorch source");
    }
    if (is_new) text += lay_out("self." + attribute + " = " + value, body);
  }
  return text;
}

std::string forward_lines(const Outline& outline) {
  const ForwardNames names = name_values(outline.model);
  const auto value = [&names](const ValueRef& ref) { return names.value(ref); };
  std::string text;
  for (std::size_t i = 0; i < outline.steps.size(); ++i) {
    const FrameworkNode& node = outline.model.nodes[i];
    const Step& step = outline.steps[i];
    if (step.block < 0) {
      const std::string module = "self." + torch_attribute_name(node.name);
      text += commented(names.variables[i] + " = " + expression(node, module, value), node.comment, body);
      continue;
    }
    // A loop needs one variable for what comes in and what leaves.
    const auto chained = [&](std::size_t k) {
      const FrameworkNode& next = outline.model.nodes[k];
      const ValueRef& entry = next.inputs.front().value;
      return entry == ValueRef{static_cast<int>(k) - 1, 0} && names.variables[k] == names.variables[i] &&
             next.comment == node.comment;
    };
    const std::string entry = value(node.inputs.front().value);
    const auto run =
        run_of_names(outline, i, [&](std::size_t k) { return entry == names.variables[i] && chained(k); });
    const Block& block = outline.blocks[static_cast<std::size_t>(step.block)];
    text += repeated(run, node.comment, [&](const std::string& name) {
      return names.variables[i] + " = self." + block.method + "(" + entry + ", " + name + ")";
    });
    i += run.size() - 1;
  }
  return text;
}

}  // namespace tieout::torch_source
