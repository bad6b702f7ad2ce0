#include "formats/keras_h5/write.h"

#include <algorithm>
#include <map>

#include "containers/hdf5/datatype.h"
#include "containers/hdf5/writer.h"
#include "formats/keras_config/build_config.h"
#include "formats/keras_config/document.h"
#include "formats/keras_config/layer_order.h"
#include "formats/keras_config/nested.h"
#include "formats/keras_config/tensor_index.h"
#include "formats/keras_h5/layout.h"

namespace tieout::keras {

namespace {

struct Weight {
  std::string name;  // inside the layer's group
  std::string tensor;
};

struct Layer {
  std::string name;
  std::vector<Weight> weights;
};

// "layers/dense/vars/0" -> "dense": what a node's variable is called when only its place is known. A place
// makes a name as good as any, since Keras goes by the order.
std::string name_of(const NodeParameter& parameter) {
  return parameter.name.empty() ? parameter.path : parameter.name;
}

Layer layer_of(const FrameworkNode& node, bool keep_names) {
  Layer layer{node.name, {}};
  for (const NodeParameter& parameter : node.parameters) {
    const std::string prefix = node.name + "/";
    const bool keep = keep_names && parameter.tensor.starts_with(prefix);
    layer.weights.push_back(
        {keep ? parameter.tensor.substr(prefix.size()) : prefix + name_of(parameter), parameter.tensor});
  }
  return layer;
}

std::vector<Weight> weights_under(const std::string& prefix, const FrameworkModel& model) {
  std::vector<Weight> weights;
  for (const NamedTensor& tensor : model.tensors) {
    if (tensor.name.starts_with(prefix)) weights.push_back({tensor.name.substr(prefix.size()), tensor.name});
  }
  return weights;
}

// Of weights alone; Keras loads them by the layers' order, or by their names.
std::vector<Layer> bare_layers(const FrameworkModel& model, bool keep_names) {
  const bool named =
      std::ranges::all_of(model.nodes, [](const FrameworkNode& node) { return is_valid_name(node.name); });
  if (!named || model.order == TensorOrder::by_name) {
    throw unsupported("an .h5 file holds weights by layers, in their order, and these are not known",
                      {.file = model.file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "give a model with its architecture: --like TEMPLATE");
  }
  std::vector<Layer> layers;
  for (const FrameworkNode& node : model.nodes) layers.push_back(layer_of(node, keep_names));
  return layers;
}

// In the order in which Keras goes through them when it loads the file.
std::vector<Layer> layers_of(const FrameworkModel& model) {
  const bool keep_names = model.format == "keras_h5";
  if (!model.has_architecture) return bare_layers(model, keep_names);
  std::vector<Layer> layers;
  if (!keep_names) {
    refuse_composites(
        model, "name the target .keras, or carry the model to PyTorch and back, which writes its layers out");
  }
  const Json* listed = member(model.document, layers_attribute);
  if (listed == nullptr) {
    for (const std::size_t call : layer_order(model)) {
      layers.push_back(layer_of(model.nodes[call], keep_names));
    }
    return layers;
  }
  // The file's own layers: nested models among them hold the weights of several nodes, in the file's order,
  // and a wrapper holds more than its node, which is left with the wrapped layer's or has none.
  std::map<std::string, std::vector<Weight>> weights;
  for (const FrameworkNode& node : model.nodes) {
    const bool wraps = node.class_name == "SpectralNormalization" || node.class_name == "TimeDistributed";
    if (wraps || node.name.find('/') != std::string::npos) continue;
    weights.try_emplace(node.name, layer_of(node, keep_names).weights);
  }
  for (const Json& name : *listed) {
    const auto layer = name.get<std::string>();
    const auto found = weights.find(layer);
    layers.push_back({layer, found == weights.end() ? weights_under(layer + "/", model) : found->second});
  }
  return layers;
}

void write_layer(const Layer& layer, const std::string& root, const TensorIndex& tensors,
                 hdf5::Writer& writer) {
  const std::string group = root + layer.name;
  writer.group(group);
  std::vector<std::string> names;
  for (const Weight& weight : layer.weights) {
    const LazyTensor& tensor = tensors.get(weight.tensor);
    if (hdf5::is_opaque(tensor.dtype)) {
      throw unsupported("Keras cannot load " + std::string(to_string(tensor.dtype)) + " from a .h5",
                        {.file = {}, .entry = {}, .offset = {}, .tensor = weight.tensor, .layer = layer.name},
                        "name the target .keras");
    }
    writer.dataset(group + "/" + weight.name, tensor);
    names.push_back(weight.name);
  }
  writer.texts(group, weights_attribute, names);
}

// The optimizer's state, which belongs to no layer, and its names as they were read.
void write_optimizer(const FrameworkModel& model, hdf5::Writer& writer) {
  if (model.format != "keras_h5") return;
  std::vector<std::string> names;
  const std::string prefix = std::string(optimizer_group) + "/";
  for (const NamedTensor& tensor : model.tensors) {
    if (!tensor.name.starts_with(prefix)) continue;
    writer.dataset(tensor.name, tensor.tensor);
    names.push_back(tensor.name.substr(prefix.size()));
  }
  if (!names.empty()) writer.texts(optimizer_group, weights_attribute, names);
}

// Keras 3 and 2 both ask for the version and the backend when they load.
void write_origin(const FrameworkModel& model, const std::string& group, hdf5::Writer& writer) {
  const std::string version = text_member(model.document, version_attribute);
  const std::string backend = text_member(model.document, backend_attribute);
  writer.text(group, version_attribute, version.empty() ? written_version : version);
  writer.text(group, backend_attribute, backend.empty() ? "tensorflow" : backend);
}

void write_model(const FrameworkModel& model, hdf5::Writer& writer) {
  std::string root;
  if (model.has_architecture) {
    writer.text({}, config_attribute, config_for_h5(model).dump());
    if (const Json* training = member(model.document, training_attribute)) {
      writer.text({}, training_attribute, training->dump());
    }
    write_origin(model, {}, writer);
    writer.group(weights_group);
    root = std::string(weights_group) + "/";
  }
  write_origin(model, model.has_architecture ? weights_group : "", writer);
  const std::vector<Layer> layers = layers_of(model);
  std::vector<std::string> names;
  for (const Layer& layer : layers) names.push_back(layer.name);
  writer.texts(model.has_architecture ? weights_group : "", layers_attribute, names);
  const TensorIndex tensors(model);
  for (const Layer& layer : layers) write_layer(layer, root, tensors, writer);
  write_optimizer(model, writer);
}

}  // namespace

Outputs write_h5(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  hdf5::Writer writer(path);
  write_model(model, writer);
  write_whole(*outputs.front(), writer.finish(), options.payload);
  return outputs;
}

}  // namespace tieout::keras
