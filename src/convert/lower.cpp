#include "convert/lower.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "convert/layout.h"
#include "convert/lift.h"
#include "layers/layer_kind.h"
#include "model/usual_layout.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// Builds the target model node by node; every node is lifted as soon as it is there, so that what the
// target's own words mean decides how the next layer must be written.
class Lowering_ final : public Lowerer::Sink {
 public:
  Lowering_(const Model& source, Framework target) : source_(source), ordered_(order_keeping_layers(source)) {
    result_.target.framework = target;
    result_.target.has_architecture = true;
    result_.target.name = source.name;
    result_.model.framework = target;
    result_.model.has_architecture = true;
    result_.model.name = source.name;
    for (const auto& layer : source.layers) reserved_.insert(layer_name(target, layer.name));
  }

  Lowering run() {
    for (std::size_t i = 0; i < source_.inputs.size(); ++i) add_input(i);
    for (const auto& layer : source_.layers) lower_layer(layer);
    for (const int output : source_.outputs) {
      const auto made = refs_.find(output);
      if (made == refs_.end()) continue;
      result_.target.outputs.push_back(made->second);
      result_.model.outputs.push_back(values_.at({made->second.node, made->second.output}));
    }
    return std::move(result_);
  }

  void append(FrameworkNode node) override {
    const auto shared = take_shared(node);
    node.name = shared ? *shared : free_name(layer_name(result_.target.framework, node.name));
    std::vector<int> inputs;
    for (const auto& input : node.inputs)
      inputs.push_back(values_.at({input.value.node, input.value.output}));
    const auto index = static_cast<int>(result_.target.nodes.size());
    result_.target.nodes.push_back(std::move(node));
    const auto outputs = lift_fresh(result_.model, result_.target, index, inputs);
    for (std::size_t k = 0; k < outputs.size(); ++k) values_[{index, static_cast<int>(k)}] = outputs[k];
    if (!outputs.empty() && result_.target.framework == Framework::torch) {
      result_.target.nodes.back().comment = shape_comment(axes({index, 0}));
    }
    made_.push_back(index);
    if (is_again_ && !shared && !result_.target.nodes.back().parameters.empty()) {
      throw Refusal{"it is called several times, on inputs for which the target would need different layers",
                    "give the inputs the same shape, or the model one layer for each call"};
    }
  }

  [[nodiscard]] const Axes& axes(const ValueRef& value) const override {
    return result_.model.values[static_cast<std::size_t>(values_.at({value.node, value.output}))].axes;
  }

 private:
  // The settings without those of the call: Keras' arguments, and what PyTorch's node says beside the
  // constructor's ("_returns").
  static Json of_layer(const Json& settings) {
    Json own = Json::object();
    for (const auto& [name, value] : settings.items()) {
      if (name != "args" && name != "kwargs" && !name.starts_with('_')) own[name] = value;
    }
    return own;
  }

  // The name of the node like this one that the layer's first call made, if this is a further call.
  std::optional<std::string> take_shared(const FrameworkNode& node) {
    const auto found = std::ranges::find_if(shared_, [&](int made) {
      const auto& first = result_.target.nodes[static_cast<std::size_t>(made)];
      return first.class_name == node.class_name && of_layer(first.settings) == of_layer(node.settings);
    });
    if (found == shared_.end()) return std::nullopt;
    const std::string name = result_.target.nodes[static_cast<std::size_t>(*found)].name;
    shared_.erase(found);
    return name;
  }

  // "(N, 6, 28, 28)"
  static std::string shape_comment(const Axes& axes) {
    std::string text;
    for (const auto& axis : axes) {
      std::string size = axis.size == unknown ? axis.name : std::to_string(axis.size);
      std::ranges::transform(size, size.begin(), [](unsigned char c) { return std::toupper(c); });
      text += (text.empty() ? "(" : ", ") + size;
    }
    return text + ")";
  }

  // The name itself for the first node of the layer that has it in the source; helpers and fused activations
  // find another one, that of no layer of the source.
  std::string free_name(const std::string& name) {
    std::string candidate = name;
    for (int n = 1; names_.contains(candidate) || (n > 1 && reserved_.contains(candidate)); ++n) {
      candidate = name + "_" + std::to_string(n);
    }
    names_.insert(candidate);
    return candidate;
  }

  void add_input(std::size_t i) {
    const int source_value = source_.inputs[i];
    const Value& value = source_.values[static_cast<std::size_t>(source_value)];
    // A Keras file says None where it means any size, and so does a PyTorch file of ours; other PyTorch files
    // say nothing about any size.
    const bool sized = source_.framework == Framework::keras || value.axes.size() < 2 ||
                       std::any_of(value.axes.begin() + 1, value.axes.end(),
                                   [](const Axis& axis) { return axis.size != unknown; });
    if (!value.known || !sized) {
      throw usage_error(
          "the shape of the input " + source_.input_names[i] + " is not known",
          "give it with --input-shape, without the batch and in the source's layout: --input-shape "
          "1,28,28 for one channel of 28 x 28 in PyTorch");
    }
    Value made = value;
    // Images come as the target's users expect them, whatever the first layer would like best.
    auto layout = usual_layout(value.axes, result_.target.framework);
    if (layout.empty()) layout = input_layout(source_, source_value, result_.target.framework);
    const auto order = permutation(value.axes, layout);
    for (std::size_t k = 0; k < order.size(); ++k)
      made.axes[k] = value.axes[static_cast<std::size_t>(order[k])];
    ModelInput input;
    input.name = free_name(layer_name(result_.target.framework, source_.input_names[i]));
    input.shape = shape_of(made.axes);
    input.dtype = value.dtype;
    for (const auto& axis : made.axes) input.axes.push_back(axis.name);
    result_.target.inputs.push_back(input);
    result_.model.inputs.push_back(static_cast<int>(result_.model.values.size()));
    result_.model.input_names.push_back(input.name);
    values_[{ValueRef::model_input, static_cast<int>(i)}] = static_cast<int>(result_.model.values.size());
    result_.model.values.push_back(std::move(made));
    refs_[source_value] = {ValueRef::model_input, static_cast<int>(i)};
  }

  // The input in the layout that the layer needs, through a permute node where it has another.
  ValueRef arranged(const ValueRef& value, const std::vector<std::string>& names, const std::string& layer) {
    const auto order = permutation(axes(value), names);
    if (order.empty()) return value;
    FrameworkNode node;
    node.name = layer + "_permute";
    node.inputs = {{value, {}}};
    if (result_.target.framework == Framework::torch) {
      node.class_name = "torch.permute";
      node.settings = {{"dims", order}};
      std::string dims;
      for (const int axis : order) dims += (dims.empty() ? "" : ", ") + std::to_string(axis);
      node.call = "{0}.permute(" + dims + ")";
    } else {
      if (order.front() != 0)
        throw Refusal{"the batch axis would have to move, which no Keras layer does", "keep the batch first"};
      node.class_name = "Permute";
      node.module = "keras.layers";
      node.settings = {{"dims", std::vector<int>(order.begin() + 1, order.end())}};
    }
    append(std::move(node));
    return {static_cast<int>(result_.target.nodes.size()) - 1, 0};
  }

  void lower_layer(const Layer& layer) {
    made_.clear();
    // A layer of a node that has been called before is written with the nodes of the first call.
    const auto part = static_cast<int>(std::count_if(
        source_.layers.data(), &layer, [&](const Layer& other) { return other.node == layer.node; }));
    const auto [first, is_first] = first_calls_.try_emplace({layer.name, part}, result_.nodes.size());
    is_again_ = !is_first;
    shared_ = is_first ? std::vector<int>{} : result_.nodes[first->second];
    try {
      write(layer);
    } catch (const Refusal& refusal) {
      result_.findings.push_back(
          {Severity::forbids, layer.name + " (" + layer.kind + ")", refusal.reason, refusal.way_out});
    }
    result_.nodes.push_back(made_);
  }

  void write(const Layer& layer) {
    std::vector<ValueRef> inputs;
    for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
      const auto made = refs_.find(layer.inputs[k]);
      if (made == refs_.end()) return;  // comes after a layer that was refused; that one is reported
      auto names = needed_layout(source_, layer, k, result_.target.framework, ordered_);
      // Layers that take any order need the same one for all their inputs.
      if (names.empty() && k > 0) names = names_like(axes(inputs[0]), layer, k);
      inputs.push_back(arranged(made->second, names, layer.name));
    }
    const LayerKind& kind = kind_named(layer.kind);
    if (!kind.lower) throw Refusal{"no layer of the target computes the same", "see `tieout layers`"};
    // What is fused into a layer of the source, its activation, gets a name of its own here.
    Layer named = layer;
    if (is_fused(layer)) named.name += (named.name.empty() ? "" : "_") + layer.kind;
    Lowerer lowerer(source_, named, result_.target.framework, inputs, *this,
                    static_cast<int>(result_.target.nodes.size()));
    kind.lower(lowerer);
    check(layer, lowerer.inputs());
    for (std::size_t k = 0; k < layer.outputs.size(); ++k) {
      ValueRef ref = lowerer.inputs().at(0);
      if (k > 0) ref.output = static_cast<int>(k);
      refs_[layer.outputs[k]] = ref;
    }
  }

  // Not the first layer of its node, and without a name of its own, as "NAME_pointwise" of a separable
  // convolution is one.
  [[nodiscard]] bool is_fused(const Layer& layer) const {
    const Layer* before = &layer;
    while (before != source_.layers.data() && (before - 1)->node == layer.node) {
      if ((--before)->name.starts_with(layer.name)) return true;
    }
    return false;
  }

  // Input k's axis names in the order in which input 0 of the layer lies in the target.
  std::vector<std::string> names_like(const Axes& first, const Layer& layer, std::size_t k) const {
    const auto& source_first = source_.values[static_cast<std::size_t>(layer.inputs[0])].axes;
    const auto& source_k = source_.values[static_cast<std::size_t>(layer.inputs[k])].axes;
    if (source_first.size() != source_k.size()) return {};
    std::vector<std::string> names;
    for (const auto& axis : first) {
      const auto found = std::ranges::find(source_first, axis.name, &Axis::name);
      names.push_back(source_k.at(static_cast<std::size_t>(found - source_first.begin())).name);
    }
    return names;
  }

  // What came out must be the source's axes in some order: a kind that breaks this is a bug, found here.
  void check(const Layer& layer, const std::vector<ValueRef>& made) const {
    if (layer.outputs.empty()) return;
    const auto sorted = [](const Axes& axes) {
      std::vector<std::pair<std::string, std::int64_t>> all;
      for (const auto& axis : axes) all.emplace_back(axis.name, axis.size);
      std::ranges::sort(all);
      return all;
    };
    const auto& wanted = source_.values[static_cast<std::size_t>(layer.outputs[0])].axes;
    const bool ordered = ordered_.contains(static_cast<int>(&layer - source_.layers.data()));
    if (sorted(wanted) != sorted(axes(made.at(0))) || (ordered && wanted != axes(made.at(0)))) {
      throw internal_error("the layer " + layer.name + " (" + layer.kind + ") was written with the output [" +
                           to_pattern(axes(made[0])) + "] " + to_string(shape_of(axes(made[0]))) +
                           " instead of [" + to_pattern(wanted) + "] " + to_string(shape_of(wanted)));
    }
  }

  const Model& source_;
  std::set<int> ordered_;
  Lowering result_;
  std::map<int, ValueRef> refs_;               // value of the source -> value of the target
  std::map<std::pair<int, int>, int> values_;  // (node, output) of the target -> value of its model
  std::vector<int> made_;                      // nodes made for the present layer
  bool is_again_ = false;                      // it has been called before,
  std::vector<int> shared_;                    // and these nodes of the first call are not yet used again
  std::map<std::pair<std::string, int>, std::size_t> first_calls_;  // (node's name, part) -> layer
  std::set<std::string> names_;                                     // given to nodes and inputs of the target
  std::set<std::string> reserved_;  // names of the source's layers, for those layers
};

}  // namespace

Lowering lower(const Model& source, Framework target) {
  return Lowering_(source, target).run();
}

std::string layer_name(Framework target, const std::string& name) {
  std::string out = name;
  if (target == Framework::keras) {
    std::ranges::replace(out, '/', '_');
    return out.empty() ? "layer" : out;
  }
  // A Python identifier; a leading digit ("0" of an nn.Sequential) gets a word in front, and so does a
  // leading underscore, which would make the submodule look private.
  for (char& c : out) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') c = '_';
  }
  const bool is_digit = !out.empty() && std::isdigit(static_cast<unsigned char>(out.front())) != 0;
  if (out.empty() || is_digit || out.front() == '_') out = "layer_" + out;
  return out;
}

}  // namespace tieout
