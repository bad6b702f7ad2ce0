#include <map>
#include <utility>

#include "formats/keras_config/layer_order.h"
#include "formats/keras_config/names.h"
#include "formats/keras_config/nested.h"
#include "formats/keras_config/tensor_index.h"
#include "formats/keras_config/vars_layout.h"
#include "formats/keras_config/vars_paths.h"

namespace tieout::keras {

namespace {

bool names_are_of_this_layout(const FrameworkModel& model) {
  const bool same_layout = model.format == "keras_zip" || model.format == "keras_weights";
  return same_layout && (!model.document.is_null() || !model.has_architecture);
}

// "layers/dense/vars/0" -> "layers/dense/vars" and "0".
std::pair<std::string, std::string> split(const std::string& tensor) {
  const std::size_t slash = tensor.rfind('/');
  if (slash == std::string::npos) return {"", tensor};
  return {tensor.substr(0, slash), tensor.substr(slash + 1)};
}

class Groups {
 public:
  VarsGroup& at(const std::string& path) {
    const auto [found, is_new] = known_.emplace(path, all_.size());
    if (is_new) all_.push_back({path, std::nullopt, {}});
    return all_[found->second];
  }
  void add(const std::string& tensor_path, const LazyTensor& tensor) {
    const auto [group, variable] = split(tensor_path);
    at(group).variables.emplace_back(variable, tensor);
  }
  std::vector<VarsGroup> take() { return std::move(all_); }

 private:
  std::vector<VarsGroup> all_;
  std::map<std::string, std::size_t> known_;
};

std::vector<VarsGroup> groups_as_named(const FrameworkModel& model) {
  Groups groups;
  for (const NamedTensor& tensor : model.tensors) groups.add(tensor.name, tensor.tensor);
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeParameter& parameter : node.parameters) {
      const bool own =
          parameter.path.starts_with("vars/") && parameter.tensor.ends_with("/" + parameter.path);
      // A layer of a nested model has its name within that model.
      if (own) groups.at(split(parameter.tensor).first).name = node.name.substr(node.name.rfind('/') + 1);
    }
  }
  return groups.take();
}

void add_layer(const FrameworkNode& node, const std::string& path, const TensorIndex& tensors,
               Groups& groups) {
  groups.at(path + "/vars").name = node.name;
  const std::vector<std::string> paths = vars_paths(node);
  for (std::size_t i = 0; i < paths.size(); ++i)
    groups.add(path + "/" + paths[i], tensors.get(node.parameters[i].tensor));
}

}  // namespace

std::vector<VarsGroup> vars_groups(const FrameworkModel& model) {
  if (names_are_of_this_layout(model)) return groups_as_named(model);
  if (!model.has_architecture) {
    throw unsupported("names in a Keras 3 weights file follow from the layers' classes, which are not known",
                      {.file = model.file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "give a model with its architecture: --like TEMPLATE.keras");
  }
  refuse_composites(
      model, "name the target .h5, or carry the model to PyTorch and back, which writes its layers out");
  const TensorIndex tensors(model);
  Counter counter;
  Groups groups;
  for (const std::size_t call : layer_order(model)) {
    const FrameworkNode& node = model.nodes[call];
    add_layer(node, "layers/" + counter.next(snake_case(node.class_name)), tensors, groups);
  }
  return groups.take();
}

void write_vars_group(const VarsGroup& group, hdf5::Writer& writer) {
  if (!group.path.empty()) writer.group(group.path);
  if (group.name) writer.text(group.path, "name", *group.name);
  const std::string prefix = group.path.empty() ? "" : group.path + "/";
  for (const auto& [name, tensor] : group.variables) writer.dataset(prefix + name, tensor);
}

void write_vars_layout(const FrameworkModel& model, hdf5::Writer& writer) {
  writer.group("layers");
  writer.group("vars");  // tf-keras 2 asks for it
  for (const VarsGroup& group : vars_groups(model)) write_vars_group(group, writer);
}

}  // namespace tieout::keras
