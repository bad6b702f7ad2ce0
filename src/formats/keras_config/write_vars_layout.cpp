#include <map>

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

// "layers/dense/vars/0" -> "layers/dense"; nothing for a variable of a sublayer.
std::string layer_group(const std::string& tensor, const std::string& path) {
  if (!path.starts_with("vars/") || !tensor.ends_with("/" + path)) return {};
  return tensor.substr(0, tensor.size() - path.size() - 1);
}

void write_as_named(const FrameworkModel& model, hdf5::Writer& writer) {
  for (const NamedTensor& tensor : model.tensors) writer.dataset(tensor.name, tensor.tensor);
  std::map<std::string, std::string> name_of_group;
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeParameter& parameter : node.parameters) {
      const std::string group = layer_group(parameter.tensor, parameter.path);
      // A layer of a nested model has its name within that model.
      if (!group.empty()) name_of_group[group] = node.name.substr(node.name.rfind('/') + 1);
    }
  }
  for (const auto& [group, name] : name_of_group) writer.text(group + "/vars", "name", name);
}

void write_layer(const FrameworkNode& node, const std::string& group, const TensorIndex& tensors,
                 hdf5::Writer& writer) {
  writer.group(group + "/vars");
  writer.text(group + "/vars", "name", node.name);
  const std::vector<std::string> paths = vars_paths(node);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    writer.dataset(group + "/" + paths[i], tensors.get(node.parameters[i].tensor));
  }
}

}  // namespace

void write_vars_layout(const FrameworkModel& model, hdf5::Writer& writer) {
  writer.group("layers");
  writer.group("vars");  // tf-keras 2 asks for it
  if (names_are_of_this_layout(model)) {
    write_as_named(model, writer);
    return;
  }
  if (!model.has_architecture) {
    throw unsupported("names in a Keras 3 weights file follow from the layers' classes, which are not known",
                      {.file = model.file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "give a model with its architecture: --like TEMPLATE.keras");
  }
  refuse_composites(
      model, "name the target .h5, or carry the model to PyTorch and back, which writes its layers out");
  const TensorIndex tensors(model);
  Counter counter;
  for (const std::size_t call : layer_order(model)) {
    const FrameworkNode& node = model.nodes[call];
    write_layer(node, "layers/" + counter.next(snake_case(node.class_name)), tensors, writer);
  }
}

}  // namespace tieout::keras
