#include "formats/keras_h5/read.h"

#include <map>
#include <set>

#include "containers/hdf5/tree.h"
#include "containers/json/json_text.h"
#include "formats/keras_config/architecture.h"
#include "formats/keras_config/cudnn.h"
#include "formats/keras_config/document.h"
#include "formats/keras_config/nested.h"
#include "formats/keras_config/vars_layout.h"
#include "formats/keras_h5/layout.h"
#include "formats/keras_h5/weight_name.h"

namespace tieout::keras {

namespace {

class Reader {
 public:
  explicit Reader(const FileRef& file) : tree_(hdf5::read_tree(file, file->bytes(), {})) {
    model_.framework = Framework::keras;
    model_.format = "keras_h5";
    model_.file = file->path();
    weights_ = tree_.find_group(weights_group);
    if (weights_ == nullptr) weights_ = &tree_;
  }

  FrameworkModel read() {
    layer_names_ = weights_->texts(layers_attribute);
    if (!layer_names_) throw malformed("no layer_names beside the weights", where({}));
    for (const std::string& layer : *layer_names_) read_layer(layer);
    if (const hdf5::Group* optimizer = tree_.find_group(optimizer_group)) read_tensors(*optimizer, model_);
    if (const auto config = tree_.text(config_attribute)) read_document(*config);
    if (!model_.has_architecture) add_bare_nodes();
    return std::move(model_);
  }

 private:
  [[nodiscard]] Where where(const std::string& layer) const {
    return {.file = model_.file, .entry = weights_->path, .offset = {}, .tensor = {}, .layer = layer};
  }

  void read_layer(const std::string& layer) {
    const hdf5::Group* group = weights_->find_group(layer);
    if (group == nullptr) throw malformed("the group of a layer is missing", where(layer));
    const auto names = group->texts(weights_attribute);
    if (!names) throw malformed("a layer's group has no weight_names", where(layer));
    if (!seen_.insert(layer).second) throw malformed("layer_names has a layer twice", where(layer));
    std::vector<NodeParameter>& parameters = parameters_[layer];
    for (const std::string& name : *names) {
      const hdf5::Dataset* dataset = group->find_dataset(name);
      if (dataset == nullptr)
        throw malformed("the dataset of the weight " + name + " is missing", where(layer));
      const std::string full_name = layer + "/" + name;
      parameters.push_back({variable_name(name, layer), {}, full_name});
      model_.tensors.push_back({full_name, dataset->tensor});
    }
    make_distinct(parameters, layer);
  }

  // The sublayers of a nested model may each have a "kernel": then their own scopes belong to the name.
  static void make_distinct(std::vector<NodeParameter>& parameters, const std::string& layer) {
    std::set<std::string> names;
    for (const NodeParameter& parameter : parameters) names.insert(parameter.name);
    if (names.size() == parameters.size()) return;
    for (NodeParameter& parameter : parameters) {
      const std::string weight = parameter.tensor.substr(layer.size() + 1);
      parameter.name = weight.substr(0, weight.rfind(':'));
    }
  }

  Json parse(const std::string& text, const char* attribute) const {
    return parse_json(text,
                      {.file = model_.file, .entry = attribute, .offset = {}, .tensor = {}, .layer = {}});
  }

  void read_document(const std::string& config_text) {
    Json config = parse(config_text, config_attribute);
    for (const CudnnLayer& layer : replace_cudnn_classes(config)) {
      if (!parameters_[layer.name].empty()) rearrange_cudnn_weights(layer, parameters_[layer.name], model_);
    }
    model_.document = Json{{"config", std::move(config)}};
    for (const char* name : {version_attribute, backend_attribute}) {
      auto value = tree_.text(name);
      if (!value) value = weights_->text(name);
      if (value) model_.document[name] = *value;
    }
    if (const auto training = tree_.text(training_attribute)) {
      model_.document[training_attribute] = parse(*training, training_attribute);
    }
    model_.document[layers_attribute] = *layer_names_;
    const Where here{.file = model_.file, .entry = config_attribute, .offset = {}, .tensor = {}, .layer = {}};
    const Architecture architecture = read_architecture(model_.document.at("config"), seen_, model_, here);
    if (!architecture.known) return;
    for (const LayerEntry& layer : architecture.layers) {
      if (!layer.nested.empty()) distribute(layer);
    }
    for (FrameworkNode& node : model_.nodes) {
      const auto found = parameters_.find(node.name);
      if (found != parameters_.end()) node.parameters = found->second;
    }
  }

  // A nested model's weights lie in one group, first those that train: each goes to the layer that its path
  // names, where they keep their order.
  void distribute(const LayerEntry& model) {
    for (const NodeParameter& parameter : parameters_[model.name]) {
      const std::string weight = parameter.tensor.substr(model.name.size() + 1);
      const std::string owner = owner_of(weight, model.nested.front());
      if (owner.empty()) {
        throw unsupported(
            "the weight " + weight + " does not say which layer of the nested model it belongs to",
            where(model.name), "save the model as .keras");
      }
      NodeParameter own = parameter;
      own.name = variable_name(weight, owner.substr(owner.rfind('/') + 1));
      parameters_[model.name + "/" + owner].push_back(std::move(own));
    }
    parameters_.erase(model.name);
  }

  void add_bare_nodes() {
    for (const std::string& layer : *layer_names_) {
      if (parameters_[layer].empty()) continue;
      FrameworkNode node;
      node.name = layer;
      node.settings = Json::object();
      node.parameters = parameters_[layer];
      model_.nodes.push_back(std::move(node));
    }
  }

  hdf5::Group tree_;
  const hdf5::Group* weights_ = nullptr;
  FrameworkModel model_;
  std::optional<std::vector<std::string>> layer_names_;
  std::set<std::string> seen_;
  std::map<std::string, std::vector<NodeParameter>> parameters_;
};

}  // namespace

FrameworkModel read_h5(const FileRef& file, const ReadOptions& /*options*/) {
  return Reader(file).read();
}

}  // namespace tieout::keras
