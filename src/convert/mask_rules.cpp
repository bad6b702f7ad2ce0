#include "convert/mask_rules.h"

#include <algorithm>

#include "convert/call_arguments.h"

namespace tieout {

namespace {

using Names = std::set<std::string>;

// RNNs hand the mask on with a whole sequence (keras/src/layers/rnn/rnn.py, compute_mask).
const Names steppers{"LSTM",     "GRU",           "SimpleRNN",  "RNN",        "CuDNNLSTM",
                     "CuDNNGRU", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"};

// They return what they are given.
const Names same_tensor{"Identity",         "Dropout",      "GaussianDropout",       "GaussianNoise",
                        "SpatialDropout1D", "AlphaDropout", "ActivityRegularization"};

// supports_masking = True with the compute_mask of every layer, which returns the mask it was given.
const Names passers{"Dense",
                    "Activation",
                    "ReLU",
                    "LeakyReLU",
                    "PReLU",
                    "ELU",
                    "BatchNormalization",
                    "LayerNormalization",
                    "GroupNormalization",
                    "UnitNormalization",
                    "Rescaling",
                    "Normalization"};

const Names joiners{"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"};
const Names heads{"MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention"};
const Names refusing{"Softmax", "TimeDistributed", "Lambda"};

bool flag(const Json& settings, const char* name) {
  if (!settings.is_object()) return false;
  const auto found = settings.find(name);
  return found != settings.end() && *found == true;
}

// The inputs whose mask, as it is when the model runs, tells what the layer computes or hands on.
std::vector<std::size_t> read_when_run(const FrameworkNode& given) {
  FrameworkNode node = given;
  const auto stated = [&](const std::string& name) { return !stated_argument(node, name).is_null(); };
  std::vector<std::size_t> all;
  switch (mask_role(node)) {
    case MaskRole::takes:
      if (!stated("mask") && !node.inputs.empty()) all = {0};
      break;
    case MaskRole::attends:
      name_arguments(node, 1, {"inputs", "mask"});
      if (!stated("mask")) all = listed_arguments(node);
      break;
    case MaskRole::attends_in_heads:
      name_arguments(node, 3, head_arguments());
      for (std::size_t place = 0; place < 3; ++place) {
        const std::string name = head_arguments()[place];
        const auto number = argument_of(node, place, name);
        if (number && (place == 0 || !stated(name + "_mask"))) all.push_back(*number);
      }
      break;
    case MaskRole::passes:
      if (returns_its_input(node)) break;
      [[fallthrough]];
    case MaskRole::joins:
    case MaskRole::refuses:
      for (std::size_t k = 0; k < node.inputs.size(); ++k) all.push_back(k);
      break;
    case MaskRole::makes:
    case MaskRole::destroys:
      break;
  }
  return all;
}

}  // namespace

MaskRole mask_role(const FrameworkNode& node) {
  const std::string& name = node.class_name;
  // The second of the two nodes that stand for a model run at each step: the first one is refused.
  if (name == "TimeDistributed" && node.settings.value("part", Json()) == "split") return MaskRole::destroys;
  if ((name == "Embedding" && flag(node.settings, "mask_zero")) || name == "Masking") return MaskRole::makes;
  if (steppers.contains(name) || name == "GlobalAveragePooling1D") return MaskRole::takes;
  if (passers.contains(name) || same_tensor.contains(name)) return MaskRole::passes;
  if (joiners.contains(name)) return MaskRole::joins;
  if (name == "Attention" || name == "AdditiveAttention") return MaskRole::attends;
  if (heads.contains(name)) return MaskRole::attends_in_heads;
  return refusing.contains(name) ? MaskRole::refuses : MaskRole::destroys;
}

bool hands_on_sequence(const FrameworkNode& node) {
  if (!steppers.contains(node.class_name)) return false;
  if (flag(node.settings, "return_sequences")) return true;
  const auto layer = node.settings.find("layer");
  return layer != node.settings.end() && layer->is_object() && layer->contains("config") &&
         flag(layer->at("config"), "return_sequences");
}

bool returns_its_input(const FrameworkNode& node) {
  if (same_tensor.contains(node.class_name)) return true;
  return node.class_name == "Activation" && node.settings.is_object() &&
         node.settings.value("activation", Json()) == "linear";
}

bool joins_features(const FrameworkNode& node) {
  return node.class_name == "Concatenate" && node.settings.is_object() &&
         node.settings.value("axis", Json(-1)) == -1;
}

const std::vector<std::string>& head_arguments() {
  static const std::vector<std::string> names{"query",      "value",    "key",           "query_mask",
                                              "value_mask", "key_mask", "attention_mask"};
  return names;
}

bool is_keras2(const FrameworkModel& model) {
  if (!model.document.is_object()) return false;
  const Json version = model.document.value("keras_version", Json());
  return version.is_string() &&
         (version.get<std::string>().starts_with("1.") || version.get<std::string>().starts_with("2."));
}

Mask made_by(const FrameworkNode& node) {
  return std::make_shared<MaskSource>(MaskSource{node, {}, {}});
}

FrameworkNode operator_on(const std::string& name, const std::string& class_name,
                          const std::vector<ValueRef>& values, const Json& settings) {
  FrameworkNode node;
  node.name = name;
  node.class_name = class_name;
  node.module = "keras.src.ops.numpy";
  node.settings = settings;
  for (const ValueRef& value : values) node.inputs.push_back({value, {}});
  return node;
}

std::vector<FrameworkNode> mask_nodes(const FrameworkNode& maker, int first) {
  const bool embedding = maker.class_name == "Embedding";
  const Json value = embedding ? Json(0) : maker.settings.value("mask_value", Json(0.0));
  const Json args = Json::array({Json{{"input", 0}}, value});
  std::vector<FrameworkNode> nodes{operator_on(maker.name + "_mask", "NotEqual", {maker.inputs.front().value},
                                               {{"args", args}, {"kwargs", Json::object()}})};
  if (!embedding) {
    nodes.push_back(
        operator_on(maker.name + "_any", "Any", {{first, 0}}, {{"axis", -1}, {"keepdims", false}}));
  }
  return nodes;
}

MaskReaders::MaskReaders(const std::vector<FrameworkNode>& nodes) : nodes_(nodes) {
  std::map<std::pair<int, int>, std::pair<int, int>> same;
  const auto tensor_of = [&](const ValueRef& value) {
    const std::pair place{value.node, value.output};
    const auto found = same.find(place);
    return found == same.end() ? place : found->second;
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const FrameworkNode& node = nodes[i];
    if (mask_role(node) == MaskRole::passes && returns_its_input(node) && !node.inputs.empty())
      same[{static_cast<int>(i), 0}] = tensor_of(node.inputs[0].value);
    std::vector<std::size_t>& from = inputs_.emplace_back();
    for (const NodeInput& input : node.inputs) {
      if (input.value.node >= 0) from.push_back(static_cast<std::size_t>(input.value.node));
    }
    auto& tensors = tensors_.emplace_back();
    for (const NodeInput& input : node.inputs) tensors.push_back(tensor_of(input.value));
    for (const std::size_t k : read_when_run(node)) readers_[tensors.at(k)].push_back(i);
  }
}

std::string MaskReaders::rival_of(std::size_t node) const {
  if (nodes_[node].class_name != "MultiHeadAttention") return {};
  for (const auto& tensor : tensors_[node]) {
    const auto readers = readers_.find(tensor);
    if (readers == readers_.end()) continue;
    for (const std::size_t reader : readers->second) {
      if (reader != node && !needs(reader, node) && !needs(node, reader)) return nodes_[reader].name;
    }
  }
  return {};
}

bool MaskReaders::needs(std::size_t node, std::size_t other) const {
  std::set<std::size_t> seen;
  std::vector<std::size_t> open{node};
  while (!open.empty()) {
    const std::size_t next = open.back();
    open.pop_back();
    for (const std::size_t input : inputs_[next]) {
      if (input == other) return true;
      if (input > other && seen.insert(input).second) open.push_back(input);
    }
  }
  return false;
}

}  // namespace tieout
