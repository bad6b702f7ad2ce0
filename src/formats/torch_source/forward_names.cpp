#include "formats/torch_source/forward_names.h"

#include <algorithm>
#include <set>

#include "formats/torch_source/python_text.h"

namespace tieout::torch_source {

namespace {

// After the last node, where the outputs are returned.
int end_of(const FrameworkModel& model) {
  return static_cast<int>(model.nodes.size());
}

// How many outputs of each node are taken one by one; 0: the variable is the only one.
std::vector<int> count_outputs(const FrameworkModel& model) {
  std::vector<int> counts(model.nodes.size(), 0);
  const auto look = [&counts](const ValueRef& value) {
    if (value.node < 0 || value.output == 0) return;
    int& count = counts.at(static_cast<std::size_t>(value.node));
    count = std::max(count, value.output + 1);
  };
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeInput& input : node.inputs) look(input.value);
  }
  std::ranges::for_each(model.outputs, look);
  return counts;
}

std::vector<std::string> suffixes_of(const FrameworkNode& node, int taken) {
  std::vector<std::string> suffixes;
  const auto stated = node.settings.find("_outputs");
  if (stated != node.settings.end() && stated->is_array()) {
    for (const Json& suffix : *stated)
      suffixes.push_back(suffix.is_string() ? suffix.get<std::string>() : "");
    return suffixes;
  }
  // What gives several values gives them as a tuple, whichever are used.
  const bool counted = stated != node.settings.end() && stated->is_number_integer();
  const int count = counted ? stated->get<int>() : taken;
  for (int k = 0; k < count; ++k) suffixes.push_back("[" + std::to_string(k) + "]");
  return suffixes;
}

}  // namespace

LastUses find_last_uses(const FrameworkModel& model) {
  LastUses uses{std::vector<int>(model.inputs.size(), -1), std::vector<int>(model.nodes.size(), -1)};
  const auto use = [&uses](const ValueRef& value, int user) {
    if (value.node == ValueRef::model_input) {
      uses.inputs.at(static_cast<std::size_t>(value.output)) = user;
    } else {
      uses.nodes.at(static_cast<std::size_t>(value.node)) = user;
    }
  };
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    for (const NodeInput& input : model.nodes[i].inputs) use(input.value, static_cast<int>(i));
  }
  for (const ValueRef& output : model.outputs) use(output, end_of(model));
  return uses;
}

Suffixes find_suffixes(const FrameworkModel& model) {
  const std::vector<int> counts = count_outputs(model);
  Suffixes all;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) all.push_back(suffixes_of(model.nodes[i], counts[i]));
  return all;
}

std::string ForwardNames::value(const ValueRef& ref) const {
  if (ref.node == ValueRef::model_input) return arguments.at(static_cast<std::size_t>(ref.output));
  const auto node = static_cast<std::size_t>(ref.node);
  const auto& own = suffixes.at(node);
  const auto output = static_cast<std::size_t>(ref.output);
  return variables.at(node) + (output < own.size() ? own[output] : "");
}

ForwardNames name_values(const FrameworkModel& model) {
  const LastUses uses = find_last_uses(model);
  ForwardNames names;
  names.suffixes = find_suffixes(model);
  std::set<std::string> taken{"self", "torch", "nn", "F", "math", "name", "i", "x"};
  int x_needed_until = -1;
  if (model.inputs.size() == 1) {
    names.arguments.emplace_back("x");
    x_needed_until = uses.inputs.front();
  } else {
    for (const ModelInput& input : model.inputs)
      names.arguments.push_back(unique(identifier(input.name), taken));
  }
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (x_needed_until <= static_cast<int>(i)) {
      names.variables.emplace_back("x");
      x_needed_until = uses.nodes[i];
    } else {
      names.variables.push_back(unique(identifier(model.nodes[i].name), taken));
    }
  }
  return names;
}

}  // namespace tieout::torch_source
