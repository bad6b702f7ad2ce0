#include "layers/shared/attention.h"

#include <algorithm>

namespace tieout {

namespace {

Parameter* find(Layer& layer, const std::string& name) {
  const auto found = std::ranges::find(layer.parameters, name, &Parameter::name);
  return found == layer.parameters.end() ? nullptr : &*found;
}

// Keras is called with (query, value, key), PyTorch with (query, key, value).
bool qkv_order(Layer& layer, Framework, const std::vector<Axes>&) {
  Parameter* key = find(layer, "key_kernel");
  Parameter* value = find(layer, "value_kernel");
  Parameter* key_bias = find(layer, "key_bias");
  Parameter* value_bias = find(layer, "value_bias");
  if (key == nullptr || value == nullptr || key_bias == nullptr || value_bias == nullptr) return false;
  if (key->sizes != value->sizes) return false;
  std::swap(key->terms, value->terms);
  std::swap(key_bias->terms, value_bias->terms);
  return true;
}

// h d -> d h in each group (PyTorch) or in the order of the axes (Keras).
void turn(Pattern& pattern) {
  for (auto& group : pattern.groups) {
    for (auto& axis : group) {
      if (axis.name == "h") {
        axis.name = "d";
      } else if (axis.name == "d") {
        axis.name = "h";
      }
    }
  }
}

bool head_order(Layer& layer, Framework framework, const std::vector<Axes>&) {
  bool changed = false;
  for (auto& parameter : layer.parameters) {
    if (!parameter.sizes.contains("h") || !parameter.sizes.contains("d")) continue;
    const std::int64_t heads = parameter.sizes.at("h");
    const std::int64_t width = parameter.sizes.at("d");
    if (heads == 1 || width == 1) continue;
    // Keras' tensors have an axis for each: only equal ones can be taken for one another.
    if (framework == Framework::keras && heads != width) continue;
    for (auto& term : parameter.terms) turn(term.pattern);
    changed = true;
  }
  return changed;
}

bool forgotten_bias(Layer& layer, Framework, const std::vector<Axes>&) {
  bool changed = false;
  for (const char* name : {"query_bias", "key_bias", "value_bias"}) {
    Parameter* bias = find(layer, name);
    if (bias == nullptr || bias->terms.empty()) continue;
    bias->terms.clear();
    changed = true;
  }
  return changed;
}

// Heads of the query in turn share the heads of key and value, where the first ones share the first: "h" is
// (k s) for one and (s k) for the other.
bool shared_heads(Layer& layer, Framework, const std::vector<Axes>&) {
  const auto shared = layer.settings["key_value_heads"].get<std::int64_t>();
  const std::int64_t sharing = layer.settings["heads"].get<std::int64_t>() / shared;
  if (shared == 1 || sharing == 1) return false;
  for (const char* name : {"query_kernel", "query_bias", "gate_kernel", "gate_bias", "output_kernel"}) {
    Parameter* parameter = find(layer, name);
    if (parameter == nullptr) continue;
    parameter->canonical = replace_axis(parameter->canonical, "h", {"k", "s"});
    for (auto& term : parameter->terms) term.pattern = replace_axis(term.pattern, "h", {"s", "k"});
    parameter->sizes["k"] = shared;
    parameter->sizes["s"] = sharing;
  }
  return true;
}

bool other_causality(Layer& layer, Framework, const std::vector<Axes>&) {
  layer.settings["causal"] = !layer.settings["causal"].get<bool>();
  return true;
}

bool forgotten_mask(Layer& layer, Framework, const std::vector<Axes>&) {
  if (layer.inputs.size() != 4) return false;
  layer.inputs.pop_back();
  layer.orders.resize(3);
  return true;
}

using Tensors = std::vector<std::pair<std::string, Shape>>;

}  // namespace

// PyTorch's tensors do not tell the number of heads; Keras' do.
std::optional<FrameworkNode> recognise_attention(Framework framework, const Tensors& tensors) {
  if (framework == Framework::torch) return std::nullopt;
  if (tensors.size() != 4 && tensors.size() != 8) return std::nullopt;
  const std::size_t each = tensors.size() / 4;
  for (std::size_t k = 0; k < 4; ++k) {
    const Shape& kernel = tensors[k * each].second;
    if (kernel.size() != 3) return std::nullopt;
    const Shape bias = k < 3 ? Shape{kernel[1], kernel[2]} : Shape{kernel[2]};
    if (each == 2 && tensors[k * each + 1].second != bias) return std::nullopt;
  }
  const Shape& query = tensors[0].second;
  const Shape& value = tensors[2 * each].second;
  const Shape& output = tensors[3 * each].second;
  if (query[1] != value[1] || output[0] != query[1] || output[1] != value[2]) return std::nullopt;
  FrameworkNode node;
  node.class_name = "MultiHeadAttention";
  node.settings = {{"num_heads", query[1]},
                   {"key_dim", query[2]},
                   {"value_dim", value[2]},
                   {"use_bias", each == 2},
                   {"output_shape", output[2]}};
  return node;
}

double attention_fan_in(const Layer& layer) {
  double sum = 0;
  for (const auto& parameter : layer.parameters) {
    if (parameter.sizes.contains("e")) sum = std::max(sum, static_cast<double>(parameter.sizes.at("e")));
  }
  const auto& settings = layer.settings;
  return sum + settings["heads"].get<double>() *
                   (settings["key_dim"].get<double>() + settings["value_dim"].get<double>());
}

std::vector<Mistake> attention_mistakes() {
  return {{"qkv_order", "key and value are swapped (Keras is called with query, value, key)", qkv_order},
          {"head_order", "the heads do not come first within the projections' rows", head_order},
          {"shared_heads", "the heads of the query share those of key and value in turn", shared_heads},
          {"causality", "one of the two hides later steps and the other does not", other_causality},
          {"forgotten_mask", "the mask was left out", forgotten_mask},
          {"forgotten_bias", "the biases of query, key and value were left out", forgotten_bias}};
}

}  // namespace tieout
