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

struct LastUses {
  std::vector<int> inputs;  // the node that takes the value last; -1: none
  std::vector<int> nodes;
};

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

std::string unique(const std::string& wanted, std::set<std::string>& taken) {
  std::string name = wanted;
  for (int i = 2; !taken.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

std::vector<bool> find_indexed(const FrameworkModel& model) {
  std::vector<bool> indexed(model.nodes.size(), false);
  const auto look = [&indexed](const ValueRef& value) {
    if (value.node >= 0 && value.output > 0) indexed.at(static_cast<std::size_t>(value.node)) = true;
  };
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeInput& input : node.inputs) look(input.value);
  }
  std::ranges::for_each(model.outputs, look);
  // What gives several values gives them as a tuple, whichever are used.
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].settings.is_object() && model.nodes[i].settings.contains("_outputs"))
      indexed[i] = true;
  }
  return indexed;
}

}  // namespace

std::string ForwardNames::value(const ValueRef& ref) const {
  if (ref.node == ValueRef::model_input) return arguments.at(static_cast<std::size_t>(ref.output));
  const auto node = static_cast<std::size_t>(ref.node);
  return indexed.at(node) ? variables.at(node) + "[" + std::to_string(ref.output) + "]" : variables.at(node);
}

ForwardNames name_values(const FrameworkModel& model) {
  const LastUses uses = find_last_uses(model);
  ForwardNames names;
  names.indexed = find_indexed(model);
  std::set<std::string> taken{"self", "torch", "nn", "x"};
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
