#include "convert/borrow.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "convert/group_order.h"
#include "convert/lower.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// Shapes that the lowered model's own terms give its tensors, by full tensor name.
std::map<std::string, Shape> expected_shapes(const Model& model) {
  std::map<std::string, Shape> shapes;
  for (const auto& layer : model.layers) {
    for (const auto& parameter : layer.parameters) {
      for (const auto& term : parameter.terms) {
        try {
          shapes[term.tensor] = pattern_shape(term.pattern, parameter.sizes);
        } catch (const Error&) {
          // A size that is not known cannot contradict anything.
        }
      }
    }
  }
  return shapes;
}

using Nodes = std::vector<FrameworkNode*>;
using Groups = std::vector<const FrameworkNode*>;

std::string described(const FrameworkNode& node, const FrameworkModel& file) {
  std::string text = node.name + " (";
  for (std::size_t i = 0; i < node.parameters.size(); ++i) {
    const LazyTensor* tensor = file.find_tensor(node.parameters[i].tensor);
    text += (i > 0 ? ", " : "") + node.parameters[i].name +
            (tensor != nullptr ? " " + to_string(tensor->shape) : "");
  }
  return text + ")";
}

// PyTorch keeps all levels of a recurrent module in one group (weight_ih_l0, weight_ih_l1, ...); the lowering
// writes a module of one level for each. Gives each level as a group of its own.
std::vector<FrameworkNode> levels_of(const FrameworkNode& group) {
  std::vector<FrameworkNode> levels;
  for (const NodeParameter& parameter : group.parameters) {
    const std::size_t at = parameter.name.find("_l");
    const std::size_t digits =
        at == std::string::npos ? at : parameter.name.find_first_not_of("0123456789", at + 2);
    const std::string number = at == std::string::npos ? "" : parameter.name.substr(at + 2, digits - at - 2);
    const bool recurrent = parameter.name.starts_with("weight_ih_l") ||
                           parameter.name.starts_with("weight_hh_l") ||
                           parameter.name.starts_with("bias_ih_l") || parameter.name.starts_with("bias_hh_l");
    if (!recurrent || number.empty() || number.size() > 4) return {group};
    const std::string name = group.name + (number == "0" ? "" : "_l" + number);
    auto level = std::ranges::find(levels, name, &FrameworkNode::name);
    if (level == levels.end()) {
      levels.push_back(group);
      level = levels.end() - 1;
      level->name = name;
      level->parameters.clear();
    }
    level->parameters.push_back(parameter);
    level->parameters.back().name.replace(at, 2 + number.size(), "_l0");
  }
  return levels.empty() ? std::vector<FrameworkNode>{group} : levels;
}

// Keras' get_weights() is one list of nameless arrays: each node takes as many as it has. The bare file's
// only group is returned as it is when they are not as many in all.
std::vector<FrameworkNode> in_model_order(const FrameworkNode& all, const Nodes& nodes) {
  std::size_t wanted = 0;
  for (const FrameworkNode* node : nodes) wanted += node->parameters.size();
  if (wanted != all.parameters.size()) return {all};
  std::vector<FrameworkNode> groups;
  auto next = all.parameters.begin();
  for (const FrameworkNode* node : nodes) {
    const auto end = next + static_cast<std::ptrdiff_t>(node->parameters.size());
    groups.emplace_back().name = node->name;
    groups.back().parameters.assign(next, end);
    next = end;
  }
  return groups;
}

// The group for each node, if every node finds its name, as the target writes it: "layers_0_fc" for
// "layers.0.fc" in PyTorch.
std::optional<Groups> by_name(const Nodes& nodes, const Groups& groups, Framework framework) {
  std::map<std::string, Groups> written;
  for (const FrameworkNode* group : groups) written[layer_name(framework, group->name)].push_back(group);
  Groups named;
  for (const FrameworkNode* node : nodes) {
    const auto found = written.find(node->name);
    if (found == written.end() || found->second.size() > 1) return std::nullopt;
    named.push_back(found->second.front());
  }
  return named;
}

// Gives the node the group's tensors; false and a finding when they are not the tensors that the node has.
bool take_tensors(FrameworkNode& node, const FrameworkNode& group, const FrameworkModel& bare,
                  const std::map<std::string, Shape>& expected, Findings& findings) {
  const bool torch = bare.framework == Framework::torch;
  std::vector<NodeParameter> taken;
  bool fits = node.parameters.size() == group.parameters.size();
  for (std::size_t i = 0; fits && i < node.parameters.size(); ++i) {
    const auto& wanted = node.parameters[i];
    const auto found = torch ? std::ranges::find(group.parameters, wanted.name, &NodeParameter::name)
                             : group.parameters.begin() + static_cast<std::ptrdiff_t>(i);
    if (found == group.parameters.end()) {
      fits = false;
      break;
    }
    const LazyTensor* tensor = bare.find_tensor(found->tensor);
    const auto shape = expected.find(wanted.tensor);
    fits = tensor != nullptr && (shape == expected.end() || shape->second == tensor->shape);
    taken.push_back(*found);
  }
  if (!fits) {
    std::string wanted;
    for (const auto& parameter : node.parameters) {
      const auto shape = expected.find(parameter.tensor);
      wanted += (wanted.empty() ? "" : ", ") + parameter.name +
                (shape == expected.end() ? "" : " " + to_string(shape->second));
    }
    findings.push_back(
        {Severity::forbids, group.name,
         "the tensors " + described(group, bare) + " do not fit the layer " + node.name + " (" +
             node.class_name + "), which has " + wanted,
         "give a template with the same layers in the same order, or name the pairs with --map"});
    return false;
  }
  node.name = group.name;
  node.parameters = std::move(taken);
  return true;
}

}  // namespace

Borrowed borrow(const FrameworkModel& bare, const Model& other) {
  Lowering lowering = lower(other, bare.framework);
  Borrowed result{std::move(lowering.target), std::move(lowering.findings)};
  const auto expected = expected_shapes(lowering.model);
  Nodes nodes;
  std::map<std::string, Nodes> calls;  // of each layer with parameters
  for (auto& node : result.file.nodes) {
    node.call.clear();  // nobody writes a NAME.py for an architecture that is only assumed
    if (!node.parameters.empty()) calls[node.name].push_back(&node);
    if (!node.parameters.empty() && calls[node.name].size() == 1) nodes.push_back(&node);
  }
  std::vector<FrameworkNode> split;
  for (const auto& group : bare.nodes) {
    if (!group.parameters.empty()) std::ranges::copy(levels_of(group), std::back_inserter(split));
  }
  const bool nameless =
      bare.framework == Framework::keras && nodes.size() > 1 && split.size() == 1 && split[0].name.empty();
  if (nameless) split = in_model_order(FrameworkNode(split[0]), nodes);
  Groups groups;
  for (const auto& group : split) groups.push_back(&group);
  if (nodes.size() != groups.size()) {
    std::string names;
    for (const auto* group : groups) names += (names.empty() ? "" : ", ") + described(*group, bare);
    result.findings.push_back({Severity::forbids, "",
                               bare.file + " has " + std::to_string(groups.size()) +
                                   " groups of tensors, the architecture of " + other.file + " has " +
                                   std::to_string(nodes.size()) + " layers with parameters: " + names,
                               "give a template with the same layers in the same order"});
  } else {
    const auto named = by_name(nodes, groups, bare.framework);
    if (!named) {
      const Findings order = unknown_order(bare);
      result.findings.insert(result.findings.end(), order.begin(), order.end());
    }
    const Groups& ordered = named ? *named : groups;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Nodes& same = calls.at(nodes[i]->name);
      if (!take_tensors(*nodes[i], *ordered[i], bare, expected, result.findings)) continue;
      for (FrameworkNode* call : same) {
        call->name = nodes[i]->name;
        call->parameters = nodes[i]->parameters;
      }
    }
  }
  result.findings.push_back({Severity::warning, "",
                             bare.file + " holds no architecture: that of " +
                                 (other.file.empty() ? "the model it was written from" : other.file) +
                                 " is assumed for it",
                             "give a file that holds its architecture (a whole module, a .keras file)"});
  result.file.format = bare.format;
  result.file.file = bare.file;
  result.file.name = bare.name.empty() ? other.name : bare.name;
  result.file.tensors = bare.tensors;
  result.file.document = bare.document;
  return result;
}

}  // namespace tieout
