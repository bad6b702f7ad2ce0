#include "formats/torch_groups.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tieout/error.h"

namespace tieout {

namespace {

constexpr std::string_view output_projection = "out_proj";

struct Parts {
  std::string group;
  std::string local;
};

Parts split(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace

std::vector<FrameworkNode> group_tensors(const std::vector<NamedTensor>& tensors) {
  std::set<std::string> attentions;
  for (const NamedTensor& tensor : tensors) {
    const Parts parts = split(tensor.name);
    if (parts.local == "in_proj_weight" || parts.local == "q_proj_weight") attentions.insert(parts.group);
  }
  std::vector<FrameworkNode> nodes;
  std::map<std::string, std::size_t> known;
  for (const NamedTensor& tensor : tensors) {
    Parts parts = split(tensor.name);
    const Parts outer = split(parts.group);
    if (outer.local == output_projection && attentions.contains(outer.group)) {
      parts = {outer.group, outer.local + "." + parts.local};
    }
    const auto [found, is_new] = known.emplace(parts.group, nodes.size());
    if (is_new) nodes.emplace_back().name = parts.group;
    nodes[found->second].parameters.push_back({.name = parts.local, .path = {}, .tensor = tensor.name});
  }
  return nodes;
}

namespace {

std::string own_name(const FrameworkNode& node, const NodeParameter& parameter) {
  return node.name.empty() ? parameter.name : node.name + "." + parameter.name;
}

// What stands before the own name of every tensor that a node owns; empty when it is not the same everywhere.
std::string common_prefix(const FrameworkModel& model) {
  std::optional<std::string> prefix;
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeParameter& parameter : node.parameters) {
      const std::string own = own_name(node, parameter);
      if (!parameter.tensor.ends_with(own)) return {};
      std::string before = parameter.tensor.substr(0, parameter.tensor.size() - own.size());
      if (prefix && *prefix != before) return {};
      prefix = std::move(before);
    }
  }
  return prefix && prefix->ends_with('.') ? *prefix : std::string();
}

}  // namespace

void keep_model_only(FrameworkModel& model) {
  const std::string prefix = common_prefix(model);
  if (prefix.empty()) return;
  std::vector<NamedTensor> kept = tensors_to_write(model);
  std::set<std::string> owned;
  for (FrameworkNode& node : model.nodes) {
    for (NodeParameter& parameter : node.parameters) {
      owned.insert(parameter.tensor);
      parameter.tensor.erase(0, prefix.size());
    }
  }
  std::erase_if(kept, [&](const NamedTensor& named) { return !owned.contains(named.name); });
  for (NamedTensor& named : kept) named.name.erase(0, prefix.size());
  model.tensors = std::move(kept);
}

void add_aliases(const std::map<std::string, std::string>& aliases, FrameworkModel& model) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) places.emplace(model.tensors[i].name, i);
  for (const auto& [alias, stored] : aliases) {
    const auto place = places.find(stored);
    if (place == places.end() || places.contains(alias)) continue;
    LazyTensor& tensor = model.tensors[place->second].tensor;
    if (tensor.storage.empty()) tensor.storage = "stored as " + stored;
    model.tensors.push_back({alias, LazyTensor(tensor)});
    model.findings.push_back({.severity = Severity::note,
                              .layer = {},
                              .message = "'" + alias + "' is the same tensor as '" + stored +
                                         "': the file holds it once and says so in its metadata",
                              .way_out = {}});
  }
}

std::map<std::string, std::string> take_aliases(std::vector<NamedTensor>& tensors) {
  std::map<std::string, std::string> kept;  // identity -> name
  const auto identity = [](const LazyTensor& tensor) {
    return tensor.storage + " " + std::string(to_string(tensor.dtype)) + " " + to_string(tensor.shape);
  };
  for (const NamedTensor& named : tensors) {
    if (named.tensor.storage.empty()) continue;
    const auto [first, is_new] = kept.emplace(identity(named.tensor), named.name);
    if (!is_new && named.name < first->second) first->second = named.name;
  }
  std::map<std::string, std::string> aliases;
  std::erase_if(tensors, [&](const NamedTensor& named) {
    const auto stored = named.tensor.storage.empty() ? kept.end() : kept.find(identity(named.tensor));
    if (stored == kept.end() || stored->second == named.name) return false;
    aliases.emplace(named.name, stored->second);
    return true;
  });
  return aliases;
}

std::vector<NamedTensor> tensors_to_write(const FrameworkModel& model) {
  std::map<std::string, const LazyTensor*> by_name;
  for (const NamedTensor& named : model.tensors) by_name.emplace(named.name, &named.tensor);
  std::vector<NamedTensor> chosen;
  std::set<std::string> names;
  const auto choose = [&](const std::string& name) {
    const auto found = by_name.find(name);
    if (found == by_name.end())
      throw internal_error("a node owns the tensor '" + name + "', which is not there");
    if (names.insert(name).second) chosen.push_back({name, *found->second});
  };
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeParameter& parameter : node.parameters) choose(parameter.tensor);
  }
  for (const NamedTensor& named : model.tensors) choose(named.name);
  return chosen;
}

}  // namespace tieout
