#include "convert/masks.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace tieout {

namespace {

// Layers whose call has an argument `mask` and that hand the mask on with a whole sequence
// (keras/src/layers/rnn/rnn.py, compute_mask).
const std::set<std::string> steppers{"LSTM",     "GRU",           "SimpleRNN",  "RNN",        "CuDNNLSTM",
                                     "CuDNNGRU", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"};

// supports_masking = True with the compute_mask of every layer, which returns the mask it was given. All
// others, convolutions among them, destroy it.
const std::set<std::string> passers{"Dense",
                                    "Identity",
                                    "Activation",
                                    "ReLU",
                                    "LeakyReLU",
                                    "PReLU",
                                    "ELU",
                                    "Dropout",
                                    "GaussianDropout",
                                    "GaussianNoise",
                                    "AlphaDropout",
                                    "ActivityRegularization",
                                    "SpatialDropout1D",
                                    "BatchNormalization",
                                    "LayerNormalization",
                                    "GroupNormalization",
                                    "UnitNormalization",
                                    "Rescaling",
                                    "Normalization",
                                    "Masking"};

// They make of their inputs' masks another one.
const std::set<std::string> joiners{"Add",
                                    "Subtract",
                                    "Multiply",
                                    "Average",
                                    "Maximum",
                                    "Minimum",
                                    "Dot",
                                    "Concatenate",
                                    "MultiHeadAttention",
                                    "GroupedQueryAttention"};

// They compute with a mask, in ways of their own.
const std::set<std::string> users{
    "GlobalAveragePooling1D", "Softmax", "TimeDistributed",    "Attention",
    "AdditiveAttention",      "Lambda",  "MultiHeadAttention", "GroupedQueryAttention"};

// A mask whose nodes are added when the first call takes it.
struct Source {
  FrameworkNode maker;  // Embedding or Masking, with its input in the new list of nodes
  std::optional<ValueRef> made;
};

// Null: known to be there, but not which.
using Mask = std::shared_ptr<Source>;

bool flag(const Json& settings, const char* name) {
  if (!settings.is_object()) return false;
  const auto found = settings.find(name);
  return found != settings.end() && *found == true;
}

bool gives_sequence(const FrameworkNode& node) {
  if (flag(node.settings, "return_sequences")) return true;
  const auto layer = node.settings.find("layer");
  return layer != node.settings.end() && layer->is_object() && layer->contains("config") &&
         flag(layer->at("config"), "return_sequences");
}

bool makes_mask(const FrameworkNode& node) {
  return (node.class_name == "Embedding" && flag(node.settings, "mask_zero")) || node.class_name == "Masking";
}

class Masks {
 public:
  explicit Masks(FrameworkModel& model) : model_(model) {}

  Findings run() {
    std::vector<FrameworkNode> old;
    old.swap(model_.nodes);
    for (FrameworkNode& node : old) {
      for (NodeInput& input : node.inputs) input.value = moved(input.value);
      take(std::move(node));
    }
    for (ValueRef& output : model_.outputs) output = moved(output);
    return std::move(findings_);
  }

 private:
  [[nodiscard]] ValueRef moved(const ValueRef& value) const {
    if (value.node == ValueRef::model_input) return value;
    return {place_.at(static_cast<std::size_t>(value.node)), value.output};
  }

  ValueRef push(FrameworkNode node) {
    model_.nodes.push_back(std::move(node));
    return {static_cast<int>(model_.nodes.size()) - 1, 0};
  }

  // The mask of the node's first masked input, if one has any; null inside: not known which.
  [[nodiscard]] std::optional<Mask> mask_of(const FrameworkNode& node) const {
    for (const NodeInput& input : node.inputs) {
      const auto found = masks_.find({input.value.node, input.value.output});
      if (found != masks_.end()) return found->second;
    }
    return std::nullopt;
  }

  void take(FrameworkNode node) {
    const std::string class_name = node.class_name;
    // In training only (keras/src/layers/normalization/batch_normalization.py).
    if (class_name == "BatchNormalization")
      std::erase_if(node.inputs, [](const NodeInput& input) { return input.keyword == "mask"; });
    std::optional<Mask> mask = mask_of(node);
    const auto stated = std::ranges::find(node.inputs, "mask", &NodeInput::keyword);
    if (stated != node.inputs.end()) {
      mask = std::make_shared<Source>(Source{node, stated->value});
    } else if (mask && steppers.contains(class_name)) {
      if (*mask) node.inputs.push_back({value_of(**mask), "mask"});
      if (!*mask) refuse(node);
    } else if (mask && users.contains(class_name)) {
      refuse(node);
    }
    if (makes_mask(node) && !node.inputs.empty()) mask = std::make_shared<Source>(Source{node, {}});
    const bool hands_on = passers.contains(class_name) || joiners.contains(class_name) || makes_mask(node) ||
                          (steppers.contains(class_name) && gives_sequence(node));
    const bool joins = joiners.contains(class_name);
    const ValueRef made = push(std::move(node));
    place_.push_back(made.node);
    if (mask && hands_on) masks_[{made.node, 0}] = joins ? Mask() : *mask;
  }

  void refuse(const FrameworkNode& node) {
    findings_.push_back(
        {Severity::forbids, node.name + " (" + node.class_name + ")",
         "the mask that reaches it (mask_zero, Masking) is not carried for this layer",
         "leave the mask out where no input is padded, or state the masked arithmetic with layers "
         "of its own"});
  }

  ValueRef value_of(Source& source) {
    if (!source.made) source.made = make(source.maker);
    return *source.made;
  }

  // Nodes of the operators that Keras' own compute_mask uses.
  ValueRef make(const FrameworkNode& node) {
    const bool embedding = node.class_name == "Embedding";
    FrameworkNode unequal;
    unequal.name = node.name + "_mask";
    unequal.class_name = "NotEqual";
    unequal.module = "keras.src.ops.numpy";
    unequal.inputs = {node.inputs.front()};
    const Json value = embedding ? Json(0) : node.settings.value("mask_value", Json(0.0));
    unequal.settings = {{"args", Json::array({Json{{"input", 0}}, value})}, {"kwargs", Json::object()}};
    const ValueRef differs = push(std::move(unequal));
    if (embedding) return differs;
    FrameworkNode any;
    any.name = node.name + "_any";
    any.class_name = "Any";
    any.module = "keras.src.ops.numpy";
    any.settings = {{"axis", -1}, {"keepdims", false}};
    any.inputs = {{differs, {}}};
    return push(std::move(any));
  }

  FrameworkModel& model_;
  std::vector<int> place_;                     // of each old node
  std::map<std::pair<int, int>, Mask> masks_;  // of values (node, output)
  Findings findings_;
};

}  // namespace

Findings state_masks(FrameworkModel& model) {
  if (model.framework != Framework::keras || !model.has_architecture) return {};
  if (std::ranges::none_of(model.nodes, makes_mask)) return {};
  return Masks(model).run();
}

}  // namespace tieout
