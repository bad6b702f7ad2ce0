#include "formats/keras_config/architecture.h"

#include <map>

#include "formats/keras_config/document.h"
#include "formats/keras_config/functional.h"
#include "formats/keras_config/layer_entry.h"
#include "formats/keras_config/nested.h"

namespace tieout::keras {

namespace {

FrameworkNode node_of(const LayerEntry& layer, const Json& entry, int number) {
  FrameworkNode node;
  node.name = layer.name;
  node.class_name = layer.class_name;
  node.module = layer.module;
  node.settings = config_of(entry);
  const ValueRef previous = number == 0 ? ValueRef{} : ValueRef{number - 1, 0};
  node.inputs.push_back({previous, {}});
  return node;
}

// Where no InputLayer says it: the first layer's own config, the shape that Keras built the model with,
// nothing.
ModelInput sequential_input(const Json& config, const LayerEntry& first, const Json& first_entry,
                            const Where& where) {
  const std::string name = first.name + "_input";
  if (auto input = read_input(name, config_of(first_entry), where)) return *input;
  const Json* built = member(config, "build_input_shape");
  if (built != nullptr && built->is_array()) return {name, read_shape(*built, where), DType::f32, {}};
  return {name, {}, DType::f32, {}};
}

void read_sequential(const Json& config, const Json& entries, const std::vector<LayerEntry>& layers,
                     FrameworkModel& model, const Where& where) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].is_input) {
      if (i != 0) throw malformed("an InputLayer behind other layers of a Sequential model", where);
      const auto input = read_input(layers[i].name, config_of(entries[i]), where);
      if (!input) throw malformed("the InputLayer " + layers[i].name + " states no batch_shape", where);
      model.inputs.push_back(*input);
      continue;
    }
    if (model.inputs.empty()) model.inputs.push_back(sequential_input(config, layers[i], entries[i], where));
    model.nodes.push_back(node_of(layers[i], entries[i], static_cast<int>(model.nodes.size())));
  }
  const int count = static_cast<int>(model.nodes.size());
  if (!model.inputs.empty()) model.outputs.push_back(count == 0 ? ValueRef{} : ValueRef{count - 1, 0});
}

// {"class_name", "config"} of the layer that a wrapper runs; null when the entry holds none.
const Json* wrapped_layer(const Json& entry) {
  const Json* config = member(entry, "config");
  return config == nullptr ? nullptr : member(*config, "layer");
}

bool is_model(const Json& entry) {
  const Json* config = member(entry, "config");
  return config != nullptr && member(*config, "layers") != nullptr;
}

// How deep models may lie in models; Keras itself would not build more.
constexpr int most_levels = 32;

// NOLINTNEXTLINE(misc-no-recursion): at most most_levels deep.
Architecture read_level(const Json& config, const std::set<std::string>& layer_names, FrameworkModel& model,
                        const Where& where, int level) {
  if (level > most_levels) throw malformed("models lie in models more than 32 deep", where);
  Architecture architecture;
  const std::string class_name = text_member(config, "class_name");
  const Json* inner = member(config, "config");
  if (class_name.empty() || inner == nullptr) {
    throw malformed("the architecture is not {\"class_name\", \"config\"}", where);
  }
  model.name = text_member(*inner, "name");
  // Keras before 2.2.3 wrote a Sequential's config as the bare list.
  const Json* entries = inner->is_array() ? inner : member(*inner, "layers");
  const bool functional = member(*inner, "input_layers") != nullptr;
  // A subclassed model's config has its constructor's arguments.
  if (entries == nullptr || (class_name != "Sequential" && !functional)) return architecture;
  if (!entries->is_array()) throw malformed("the layers of the " + class_name + " are no list", where);
  architecture.known = true;
  architecture.sequential = !functional;
  Counter counter;
  std::set<std::string> seen;
  std::map<std::string, FrameworkModel> models;  // the nested ones, by name
  for (const Json& entry : *entries) {
    architecture.layers.push_back(read_layer_entry(entry, layer_names, counter, where));
    LayerEntry& layer = architecture.layers.back();
    if (!seen.insert(layer.name).second) throw malformed("two layers have the name " + layer.name, where);
    const Json* wrapped = layer.class_name == "TimeDistributed" ? wrapped_layer(entry) : nullptr;
    layer.is_wrapped = wrapped != nullptr && is_model(*wrapped);
    if (!layer.is_wrapped && !is_model(entry)) continue;
    FrameworkModel nested;
    layer.nested.push_back(read_level(layer.is_wrapped ? *wrapped : entry, {}, nested, where, level + 1));
    const bool known = layer.nested.front().known && (!layer.is_wrapped || run_at_each_step(nested));
    if (known) models[layer.name] = std::move(nested);
  }
  model.has_architecture = true;
  if (functional) {
    read_functional(*inner, *entries, architecture.layers, model, where);
  } else {
    read_sequential(*inner, *entries, architecture.layers, model, where);
  }
  write_out(models, model, where);
  return architecture;
}

}  // namespace

Architecture read_architecture(const Json& config, const std::set<std::string>& layer_names,
                               FrameworkModel& model, const Where& where) {
  return read_level(config, layer_names, model, where, 0);
}

}  // namespace tieout::keras
