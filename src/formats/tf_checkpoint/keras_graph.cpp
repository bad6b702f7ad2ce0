#include "formats/tf_checkpoint/keras_graph.h"

#include <map>

#include "formats/keras_config/layer_order.h"
#include "formats/keras_config/nested.h"
#include "formats/keras_config/tensor_index.h"
#include "formats/keras_config/vars_paths.h"

namespace tieout::tf_checkpoint {

namespace {

// The attributes under which a variable or a sublayer may be looked for. Keras 3 hides kernels that can be
// quantised (_kernel, _embeddings) and the projections of an attention, calls the statistics of a
// Normalization adapt_mean and a DepthwiseConv2D's kernel as any other.
std::vector<std::string> attributes_of(const std::string& name) {
  if (name.starts_with('_')) return {name};
  std::vector<std::string> names{name, "_" + name};
  if (name == "mean" || name == "variance") names.push_back("adapt_" + name);
  if (name == "depthwise_kernel") names.push_back("kernel");
  return names;
}

class Builder {
 public:
  explicit Builder(const FrameworkModel& model) : model_(model), tensors_(model) {
    made_.graph.resize(objects_before_layers);
    made_.graph[root].children = {{whole, "model"}, {functional, "_functional"}, {operations, "_operations"}};
    made_.graph[whole].children = {{functional, "_functional"}, {operations, "_operations"}};
    made_.graph[functional].children = {{operations, "_operations"}};
  }

  KerasGraph build() {
    const std::map<std::size_t, std::size_t> places = keras::operation_places(model_);
    for (const std::size_t call : keras::layer_order(model_)) {
      const FrameworkNode& node = model_.nodes[call];
      if (!node.parameters.empty()) add_layer(node, std::to_string(places.at(call)));
    }
    return std::move(made_);
  }

 private:
  // A Sequential holds a Functional that has the operations, a Functional has them itself: here both, and the
  // checkpoint too, which may be of the model alone.
  static constexpr std::size_t root = 0;
  static constexpr std::size_t whole = 1;
  static constexpr std::size_t functional = 2;
  static constexpr std::size_t operations = 3;
  static constexpr std::size_t objects_before_layers = 4;

  std::size_t add_object() {
    made_.graph.emplace_back();
    return made_.graph.size() - 1;
  }

  void add_layer(const FrameworkNode& node, const std::string& place) {
    const std::size_t layer = add_object();
    made_.graph[operations].children.push_back({layer, place});
    const std::string with_weights = "layer_with_weights-" + std::to_string(layers_++);
    for (const std::size_t model : {root, whole})
      made_.graph[model].children.push_back({layer, with_weights});
    const std::vector<std::string> paths = keras::vars_paths(node);
    std::map<std::string, std::size_t> sublayers;  // by their paths
    for (std::size_t i = 0; i < paths.size(); ++i) {
      std::vector<std::string> path{"model", "_operations", place};
      std::string full_name = node.name;
      std::size_t holder = layer;
      std::string reached;
      for (const std::string& sublayer : sublayers_on(paths[i], node)) {
        path.push_back(sublayer);
        full_name += "/" + sublayer;
        reached += sublayer + "/";
        const auto [found, is_new] = sublayers.emplace(reached, made_.graph.size());
        if (is_new) hold(holder, add_object(), sublayer);
        holder = found->second;
      }
      const std::string& name = node.parameters[i].name;
      const std::string local = name.substr(name.rfind('/') + 1);
      path.push_back(local);
      add_variable(holder, local, {full_name + "/" + local, key_of_path(path)}, node.parameters[i]);
    }
  }

  void hold(std::size_t holder, std::size_t object, const std::string& name) {
    for (const std::string& attribute : attributes_of(name))
      made_.graph[holder].children.push_back({object, attribute});
  }

  void add_variable(std::size_t holder, const std::string& local, TrackedVariable variable,
                    const NodeParameter& parameter) {
    if (local.empty())
      throw unsupported("the name of the variable " + parameter.tensor + " is not known", {},
                        "give a template that names it: --like m.keras");
    made_.tensors.push_back({variable.key, tensors_.get(parameter.tensor)});
    const std::size_t object = add_object();
    made_.graph[object].variable = std::move(variable);
    hold(holder, object, local);
  }

  // "forward_layer/cell/vars/1" -> forward_layer, cell
  static std::vector<std::string> sublayers_on(const std::string& path, const FrameworkNode& node) {
    std::vector<std::string> names;
    std::size_t begin = 0;
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
      names.push_back(path.substr(begin, slash - begin));
      begin = slash + 1;
    }
    names.pop_back();  // vars
    for (const std::string& name : names) {
      if (name != "cells") continue;
      throw unsupported("Keras 3 finds the cells of a RNN in no checkpoint of TensorFlow",
                        {.file = {}, .entry = {}, .offset = {}, .tensor = {}, .layer = node.name},
                        "name the target .keras or .weights.h5");
    }
    return names;
  }

  const FrameworkModel& model_;
  keras::TensorIndex tensors_;
  KerasGraph made_;
  std::size_t layers_ = 0;
};

}  // namespace

KerasGraph keras_graph(const FrameworkModel& model) {
  if (!model.has_architecture) {
    throw unsupported("the names in a checkpoint follow from the layers' order, which is not known",
                      {.file = model.file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "give a model with its architecture, or a checkpoint: --like TEMPLATE.keras");
  }
  keras::refuse_composites(model, "give a checkpoint of the model as the template: --like CHECKPOINT");
  return Builder(model).build();
}

}  // namespace tieout::tf_checkpoint
