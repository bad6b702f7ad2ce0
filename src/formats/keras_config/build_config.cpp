#include "formats/keras_config/build_config.h"

#include <map>
#include <set>

#include "formats/keras_config/call.h"
#include "formats/keras_config/document.h"
#include "formats/keras_config/layer_order.h"
#include "formats/keras_config/names.h"
#include "formats/keras_config/tensor_index.h"

namespace tieout::keras {

namespace {

Where in_file(const FrameworkModel& model) {
  return {.file = model.file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}};
}

Json shape_json(const Shape& shape) {
  Json out = Json::array();
  for (const std::int64_t size : shape) out.push_back(size == unknown ? Json() : Json(size));
  return out;
}

std::string dtype_name(DType dtype) {
  return dtype == DType::boolean ? "bool" : std::string(to_string(dtype));
}

// A recurrent layer that gives its states, or its two directions apart: Sequential takes no such layer.
bool gives_several(const FrameworkNode& node) {
  const Json& settings = node.settings;
  if (!settings.is_object()) return false;
  const auto states = [](const Json& config) {
    const Json* flag = member(config, "return_state");
    return flag != nullptr && *flag == true;
  };
  const Json* merge = member(settings, "merge_mode");
  const Json* layer = member(settings, "layer");
  const Json* inner = layer == nullptr ? nullptr : member(*layer, "config");
  return states(settings) || (merge != nullptr && merge->is_null()) || (inner != nullptr && states(*inner));
}

// The first call of each layer, in the order in which Keras will list the layers: weights are told apart by
// it. Operations and what no output needs keep their places.
std::vector<std::size_t> entry_order(const FrameworkModel& model) {
  std::vector<std::size_t> order;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (seen.insert(model.nodes[i].name).second) order.push_back(i);
  }
  const auto listed = layer_order(model);
  const std::set<std::size_t> moving(listed.begin(), listed.end());
  auto next = listed.begin();
  for (std::size_t& node : order) {
    if (moving.contains(node)) node = *next++;
  }
  return order;
}

class Builder {
 public:
  explicit Builder(const FrameworkModel& model) : model_(model) {
    find_dtype();
    name_inputs();
    for (const FrameworkNode& node : model.nodes) calls_.push_back(count_[node.name]++);
  }

  [[nodiscard]] Json build() const { return is_chain() ? sequential() : functional(); }

 private:
  // A layer without a dtype in its settings computes in the type of the model's weights.
  void find_dtype() {
    const TensorIndex tensors(model_);
    for (const FrameworkNode& node : model_.nodes) {
      for (const NodeParameter& parameter : node.parameters) {
        const DType dtype = tensors.get(parameter.tensor).dtype;
        if (!is_real_float(dtype)) continue;
        dtype_ = dtype;
        return;
      }
    }
  }

  // Inputs are layers in Keras: their names must differ from those of all others.
  void name_inputs() {
    std::set<std::string> taken;
    for (const FrameworkNode& node : model_.nodes) taken.insert(node.name);
    for (const ModelInput& input : model_.inputs) {
      if (input.shape.empty()) {
        throw unsupported("the shape of the model's input " + input.name + " is not known", in_file(model_),
                          "give it with --input-shape");
      }
      const std::string base = is_valid_name(input.name) ? input.name : "input_layer";
      std::string name = base;
      for (int i = 1; !taken.insert(name).second; ++i) name = base + "_" + std::to_string(i);
      input_names_.push_back(name);
    }
  }

  [[nodiscard]] bool is_chain() const {
    if (model_.inputs.size() != 1 || model_.nodes.empty()) return false;
    const int last = static_cast<int>(model_.nodes.size()) - 1;
    if (model_.outputs != std::vector<ValueRef>{{last, 0}}) return false;
    for (int i = 0; i <= last; ++i) {
      const FrameworkNode& node = model_.nodes[static_cast<std::size_t>(i)];
      const ValueRef previous = i == 0 ? ValueRef{} : ValueRef{i - 1, 0};
      const bool plain = node.inputs.size() == 1 && node.inputs[0].value == previous &&
                         node.inputs[0].keyword.empty() && !node.inputs_as_list;
      if (!plain || gives_several(node) || is_operation(node.module) || node.settings.contains("args") ||
          count_.at(node.name) > 1) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::string model_name(const char* otherwise) const {
    return is_valid_name(model_.name) ? model_.name : otherwise;
  }

  // PyTorch states no type for inputs: real ones come in the type of the weights, or Keras would round them.
  [[nodiscard]] DType input_dtype(const ModelInput& input) const {
    return input.dtype == DType::f32 ? dtype_ : input.dtype;
  }

  [[nodiscard]] Json input_entry(std::size_t i) const {
    return {{"module", "keras.layers"},
            {"class_name", "InputLayer"},
            {"config",
             {{"batch_shape", shape_json(model_.inputs[i].shape)},
              {"dtype", dtype_name(input_dtype(model_.inputs[i]))},
              {"name", input_names_[i]}}},
            {"registered_name", nullptr}};
  }

  // A wrapped layer or cell would compute in Keras' default type.
  void add_dtype(Json& layer) const {
    if (dtype_ == DType::f32 || member(layer, "config") == nullptr || layer["config"].contains("dtype"))
      return;
    layer["config"]["dtype"] = dtype_name(dtype_);
    if (layer["config"].contains("cells")) {
      for (Json& cell : layer["config"]["cells"]) add_dtype(cell);
    }
  }

  [[nodiscard]] Json layer_entry(const FrameworkNode& node) const {
    Json config{{"name", node.name}};
    const bool operation = is_operation(node.module);
    if (!operation && dtype_ != DType::f32) config["dtype"] = dtype_name(dtype_);
    if (node.settings.is_object()) config.update(node.settings);
    config["name"] = node.name;
    for (const char* inner : {"layer", "backward_layer", "cell"}) {
      if (config.contains(inner)) add_dtype(config[inner]);
    }
    config.erase("args");
    config.erase("kwargs");
    return {{"module", node.module.empty() ? "keras.layers" : node.module},
            {"class_name", node.class_name},
            {"config", std::move(config)},
            {"registered_name", operation ? Json(node.class_name) : Json()}};
  }

  [[nodiscard]] Json sequential() const {
    Json layers = Json::array({input_entry(0)});
    for (const FrameworkNode& node : model_.nodes) layers.push_back(layer_entry(node));
    return {
        {"module", "keras"},
        {"class_name", "Sequential"},
        {"config", {{"name", model_name("sequential")}, {"trainable", true}, {"layers", std::move(layers)}}},
        {"registered_name", nullptr}};
  }

  [[nodiscard]] Json history(const ValueRef& value) const {
    if (value.node == ValueRef::model_input) {
      return {input_names_.at(static_cast<std::size_t>(value.output)), 0, 0};
    }
    const auto node = static_cast<std::size_t>(value.node);
    return {model_.nodes.at(node).name, calls_.at(node), value.output};
  }

  // Keras asks for a shape and a dtype here but computes them itself.
  [[nodiscard]] Json tensor(const ValueRef& value) const {
    return {{"class_name", "__keras_tensor__"},
            {"config",
             {{"shape", Json::array()}, {"dtype", dtype_name(dtype_)}, {"keras_history", history(value)}}}};
  }

  // Puts the tensors back where parse_call took them from.
  [[nodiscard]] Json with_tensors(const Json& value, const FrameworkNode& node) const {
    if (value.is_object() && value.size() == 1 && value.contains("input")) {
      return tensor(node.inputs.at(value.at("input").get<std::size_t>()).value);
    }
    if (!value.is_structured()) return value;
    Json out = value;
    for (Json& part : out) part = with_tensors(part, node);
    return out;
  }

  [[nodiscard]] Json call(const FrameworkNode& node) const {
    if (node.settings.contains("args")) {
      const Json none = Json::object();
      return {{"args", with_tensors(node.settings.at("args"), node)},
              {"kwargs", with_tensors(node.settings.value("kwargs", none), node)}};
    }
    Json args = Json::array();
    Json kwargs = Json::object();
    for (const NodeInput& input : node.inputs) {
      if (input.keyword.empty()) {
        args.push_back(tensor(input.value));
      } else {
        kwargs[input.keyword] = tensor(input.value);
      }
    }
    if (node.inputs_as_list) args = Json::array({args});
    return {{"args", std::move(args)}, {"kwargs", std::move(kwargs)}};
  }

  [[nodiscard]] Json functional() const {
    Json layers = Json::array();
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      Json entry = input_entry(i);
      entry["name"] = input_names_[i];
      entry["inbound_nodes"] = Json::array();
      layers.push_back(std::move(entry));
    }
    std::map<std::string, std::size_t> place;
    for (const std::size_t first : entry_order(model_)) {
      const FrameworkNode& node = model_.nodes[first];
      place[node.name] = layers.size();
      Json entry = layer_entry(node);
      entry["name"] = node.name;
      entry["inbound_nodes"] = Json::array();
      layers.push_back(std::move(entry));
    }
    for (const FrameworkNode& node : model_.nodes) {
      layers[place.at(node.name)]["inbound_nodes"].push_back(call(node));
    }
    std::vector<ValueRef> inputs;
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      inputs.push_back({ValueRef::model_input, static_cast<int>(i)});
    }
    return {{"module", "keras.src.models.functional"},
            {"class_name", "Functional"},
            {"config",
             {{"name", model_name("functional")},
              {"trainable", true},
              {"layers", std::move(layers)},
              {"input_layers", histories(inputs)},
              {"output_layers", histories(model_.outputs)}}},
            {"registered_name", "Functional"}};
  }

  // A single tensor is written as such, so that the model takes and gives a tensor and not a list of one.
  [[nodiscard]] Json histories(const std::vector<ValueRef>& values) const {
    if (values.size() == 1) return history(values.front());
    Json all = Json::array();
    for (const ValueRef& value : values) all.push_back(history(value));
    return all;
  }

  const FrameworkModel& model_;
  DType dtype_ = DType::f32;
  std::vector<std::string> input_names_;
  std::map<std::string, int> count_;
  std::vector<int> calls_;  // of each node: the number of its call of its layer
};

Json built(const FrameworkModel& model) {
  if (!model.has_architecture) {
    throw unsupported("the model's architecture is not known, and a Keras model must have one",
                      in_file(model),
                      "give one with --like TEMPLATE, or write only weights: TARGET.weights.h5");
  }
  return Builder(model).build();
}

// A .h5 leaves out what a .keras must say: where the model's class lives, and which entries are operations.
void add_modules(const FrameworkModel& model, Json& config) {
  const bool sequential = text_member(config, "class_name") == "Sequential";
  if (!config.contains("module")) {
    config["module"] = sequential ? "keras" : "keras.src.models.functional";
    config["registered_name"] = sequential ? Json() : Json("Functional");
  }
  if (sequential) return;
  std::set<std::string> operations;
  for (const FrameworkNode& node : model.nodes) {
    if (is_operation(node.module)) operations.insert(node.name);
  }
  for (Json& entry : config.at("config").at("layers")) {
    const bool nested = member(entry, "config") != nullptr && entry["config"].contains("layers");
    if (entry.contains("module") || nested) continue;
    const bool operation = operations.contains(text_member(entry, "name"));
    entry["module"] = operation ? "keras.src.ops" : "keras.layers";
    entry["registered_name"] = operation ? entry.at("class_name") : Json();
  }
}

}  // namespace

bool is_valid_name(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos;
}

Json config_for_zip(const FrameworkModel& model) {
  if (member(model.document, "config") == nullptr) return built(model);
  Json config = model.document.at("config");
  if (model.format == "keras_zip") return config;
  if (keras_major(model.document) < 3) {
    throw unsupported(
        "the architecture is that of a Keras 2 file, which a .keras for Keras 3 cannot hold unchanged",
        in_file(model), "name the target .h5");
  }
  add_modules(model, config);
  return config;
}

Json config_for_h5(const FrameworkModel& model) {
  const Json* config = member(model.document, "config");
  return config == nullptr ? built(model) : *config;
}

}  // namespace tieout::keras
