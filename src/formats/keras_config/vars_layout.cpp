#include "formats/keras_config/vars_layout.h"

#include <algorithm>
#include <array>
#include <map>

#include "formats/keras_config/names.h"

namespace tieout::keras {

namespace {

// Where the order of `layer.weights` is not the order of the groups: by the sublayer's attribute.
int sublayer_rank(const std::string& name) {
  static constexpr std::array order{"query_dense",   "key_dense",     "value_dense",  "output_dense",
                                    "_query_dense",  "_key_dense",    "_value_dense", "_output_dense",
                                    "forward_layer", "backward_layer"};
  const auto found = std::ranges::find(order, name);
  return static_cast<int>(found - order.begin());
}

// NOLINTNEXTLINE(misc-no-recursion): trees are at most 64 groups deep.
void add_parameters(const hdf5::Group& group, const std::string& prefix,
                    std::vector<NodeParameter>& parameters) {
  const std::string inside = prefix.empty() ? "" : prefix + "/";
  for (const hdf5::Dataset& dataset : group.datasets) {
    const std::string path = inside + dataset.name;
    parameters.push_back({{}, path, group.path + "/" + dataset.name});
  }
  std::vector<const hdf5::Group*> groups;
  for (const hdf5::Group& child : group.groups) groups.push_back(&child);
  std::ranges::stable_sort(groups, [](const hdf5::Group* a, const hdf5::Group* b) {
    const bool own_a = a->name == "vars";
    const bool own_b = b->name == "vars";
    if (own_a != own_b) return own_a;
    return sublayer_rank(a->name) < sublayer_rank(b->name);
  });
  for (const hdf5::Group* child : groups) add_parameters(*child, inside + child->name, parameters);
}

std::vector<NodeParameter> parameters_of(const hdf5::Group& group) {
  std::vector<NodeParameter> parameters;
  add_parameters(group, {}, parameters);
  return parameters;
}

void add_node(const hdf5::Group& group, FrameworkModel& model) {
  FrameworkNode node;
  node.parameters = parameters_of(group);
  if (node.parameters.empty()) return;
  const hdf5::Group* vars = group.find_group("vars");
  const auto name = vars == nullptr ? std::nullopt : vars->text("name");
  node.name = name && !name->empty() ? *name : group.name;
  node.settings = Json::object();
  model.nodes.push_back(std::move(node));
}

// Those of each layer, by its name; layers of nested models are named "model/layer".
// NOLINTNEXTLINE(misc-no-recursion): as deep as the architecture, which is bounded.
void collect_parameters(const hdf5::Group& tree, const Architecture& architecture, const std::string& prefix,
                        std::map<std::string, std::vector<NodeParameter>>& parameters, const Where& where) {
  const hdf5::Group* layers = tree.find_group("layers");
  if (layers == nullptr) layers = tree.find_group("_layer_checkpoint_dependencies");
  if (layers == nullptr) return;
  std::map<std::string, const hdf5::Group*> groups;
  for (const hdf5::Group& group : layers->groups) groups[group.name] = &group;
  Counter counter;
  for (const LayerEntry& layer : architecture.layers) {
    if (layer.is_operation || (layer.is_input && architecture.sequential)) continue;
    const auto found = groups.find(counter.next(snake_case(layer.class_name)));
    if (found == groups.end()) continue;
    const hdf5::Group* vars = found->second->find_group("vars");
    const auto stated = vars == nullptr ? std::nullopt : vars->text("name");
    if (stated && *stated != layer.name) {
      Where here = where;
      here.layer = prefix + layer.name;
      throw malformed("the weights in " + found->second->path + " are those of a layer named " + *stated,
                      here);
    }
    const hdf5::Group* group = layer.is_wrapped ? found->second->find_group("layer") : found->second;
    if (layer.nested.empty()) {
      parameters[prefix + layer.name] = parameters_of(*group);
    } else if (group != nullptr) {
      collect_parameters(*group, layer.nested.front(), prefix + layer.name + "/", parameters, where);
    }
  }
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): trees are at most 64 groups deep.
void read_tensors(const hdf5::Group& tree, FrameworkModel& model) {
  for (const hdf5::Dataset& dataset : tree.datasets) {
    model.tensors.push_back(
        {tree.path.empty() ? dataset.name : tree.path + "/" + dataset.name, dataset.tensor});
  }
  for (const hdf5::Group& group : tree.groups) read_tensors(group, model);
}

void assign_parameters(const hdf5::Group& tree, const Architecture& architecture, FrameworkModel& model,
                       const Where& where) {
  std::map<std::string, std::vector<NodeParameter>> parameters;
  collect_parameters(tree, architecture, {}, parameters, where);
  for (FrameworkNode& node : model.nodes) node.parameters = parameters[node.name];
}

void nodes_from_groups(const hdf5::Group& tree, FrameworkModel& model) {
  for (const hdf5::Group& group : tree.groups) {
    const bool of_layers = group.name == "layers" || group.name == "_layer_checkpoint_dependencies";
    if (group.name == "optimizer" || group.name == "vars" || group.name == "metrics") continue;
    if (!of_layers) add_node(group, model);
    for (const hdf5::Group& layer : group.groups) {
      if (of_layers) add_node(layer, model);
    }
  }
}

}  // namespace tieout::keras
