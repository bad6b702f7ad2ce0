#include "convert/masks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "convert/call_arguments.h"
#include "convert/mask_rules.h"

namespace tieout {

namespace {

class Masks {
 public:
  explicit Masks(FrameworkModel& model) : model_(model) {}

  Findings run() {
    std::vector<FrameworkNode> old;
    old.swap(model_.nodes);
    const MaskReaders readers(old);
    for (std::size_t i = 0; i < old.size(); ++i) {
      FrameworkNode& node = old[i];
      for (NodeInput& input : node.inputs) input.value = moved(input.value);
      rival_ = readers.rival_of(i);
      take(std::move(node));
    }
    for (ValueRef& output : model_.outputs) output = moved(output);
    return std::move(findings_);
  }

 private:
  using Place = std::pair<int, int>;  // node, output

  [[nodiscard]] ValueRef moved(const ValueRef& value) const {
    if (value.node == ValueRef::model_input) return value;
    return {place_.at(static_cast<std::size_t>(value.node)), value.output};
  }

  ValueRef push(FrameworkNode node) {
    model_.nodes.push_back(std::move(node));
    return {static_cast<int>(model_.nodes.size()) - 1, 0};
  }

  // A layer that returns what it is given returns the very tensor, which has one mask.
  [[nodiscard]] Place tensor_of(const ValueRef& value) const {
    const Place place{value.node, value.output};
    const auto found = same_.find(place);
    return found == same_.end() ? place : found->second;
  }

  // The mask that the value has when the model runs.
  [[nodiscard]] std::optional<Mask> mask_on(const ValueRef& value) const {
    const auto found = masks_.find(tensor_of(value));
    return found == masks_.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] std::optional<Mask> mask_of_first(const FrameworkNode& node) const {
    return node.inputs.empty() ? std::nullopt : mask_on(node.inputs.front().value);
  }

  static Mask stated(const ValueRef& value) {
    return std::make_shared<MaskSource>(MaskSource{{}, {}, value});
  }

  void take(FrameworkNode node) {
    const MaskRole role = mask_role(node);
    const bool is_stated = argument_of(node, std::string::npos, "mask").has_value();
    std::optional<Mask> handed_on;
    switch (role) {
      case MaskRole::makes:
        handed_on = node.inputs.empty() ? std::nullopt : std::optional(made_by(node));
        break;
      case MaskRole::takes:
        handed_on = take_mask(node);
        break;
      case MaskRole::passes:
        // BatchNormalization: in training only (keras/src/layers/normalization/batch_normalization.py).
        handed_on = own_mask(node);
        remove_arguments(node, {"mask"});
        break;
      case MaskRole::joins:
        handed_on = joined(node);
        break;
      case MaskRole::attends:
        handed_on = take_list(node);
        break;
      case MaskRole::attends_in_heads:
        handed_on = take_heads(node);
        break;
      case MaskRole::refuses:
        if (own_mask(node)) refuse(node);
        break;
      case MaskRole::destroys:
        break;
    }
    const bool same = role == MaskRole::passes && returns_its_input(node) && !node.inputs.empty();
    const ValueRef input = same ? node.inputs.front().value : ValueRef{};
    const ValueRef made = push(std::move(node));
    place_.push_back(made.node);
    if (same) same_[{made.node, 0}] = tensor_of(input);
    if (!handed_on) return;
    // A nested model puts the mask that it is called with on its input.
    if (is_stated) masks_[tensor_of(made)] = *handed_on;
    masks_.try_emplace(tensor_of(made), *handed_on);
  }

  // Stated by the call, or else on the inputs.
  [[nodiscard]] std::optional<Mask> own_mask(const FrameworkNode& node) const {
    if (const auto number = argument_of(node, std::string::npos, "mask"))
      return stated(node.inputs.at(*number).value);
    for (const NodeInput& input : node.inputs) {
      if (const auto mask = mask_on(input.value)) return mask;
    }
    return std::nullopt;
  }

  std::optional<Mask> take_mask(FrameworkNode& node) {
    const bool is_stated = argument_of(node, std::string::npos, "mask").has_value();
    const auto mask = is_stated ? own_mask(node) : mask_of_first(node);
    if (!mask) return std::nullopt;
    // Keras 3 looks for a mask only where the input is the call's one tensor: not beside an initial state.
    const bool is_found = is_stated || is_keras2(model_) || node.inputs.size() == 1;
    if (!is_found) return hands_on_sequence(node) ? mask : std::nullopt;
    if (!*mask) {
      refuse(node);
    } else if (!is_stated) {
      add_argument(node, "mask", value_of(**mask));
    }
    return hands_on_sequence(node) ? mask : std::nullopt;
  }

  // keras/src/layers/merging/base_merge.py and concatenate.py, compute_mask; Keras 2 has other rules.
  [[nodiscard]] std::optional<Mask> joined(const FrameworkNode& node) const {
    std::vector<Mask> all;
    for (const NodeInput& input : node.inputs) {
      if (const auto mask = mask_on(input.value)) all.push_back(*mask);
    }
    if (all.empty()) return std::nullopt;
    const bool any_step = joins_features(node);
    if (is_keras2(model_) || !(any_step || node.class_name != "Concatenate")) return Mask();
    if (all.size() < node.inputs.size()) return std::nullopt;
    if (std::ranges::count(all, Mask()) > 0) return Mask();
    if (std::ranges::count(all, all[0]) == std::ssize(all)) return all[0];
    return std::make_shared<MaskSource>(MaskSource{node, all, {}});
  }

  // Attention, AdditiveAttention: mask=[of the query, of the value].
  std::optional<Mask> take_list(FrameworkNode& node) {
    name_arguments(node, 1, {"inputs", "mask"});
    const Json given = stated_argument(node, "mask");
    std::vector<std::optional<Mask>> masks;
    if (given.is_array()) {
      std::vector<std::optional<ValueRef>> values;
      for (const Json& one : given) {
        const bool is_none = one.is_null() || values.size() == 2;  // that of the key is not used
        values.push_back(is_none ? std::nullopt
                                 : std::optional(node.inputs.at(one.at("input").get<std::size_t>()).value));
      }
      remove_arguments(node, {"mask"});
      add_list_argument(node, "mask", values);
      return values.empty() || !values[0] ? std::nullopt : std::optional(stated(*values[0]));
    }
    for (const std::size_t number : listed_arguments(node))
      masks.push_back(mask_on(node.inputs.at(number).value));
    masks.resize(std::min<std::size_t>(masks.size(), 2));
    if (std::ranges::none_of(masks, [](const auto& mask) { return mask.has_value(); })) return std::nullopt;
    std::vector<std::optional<ValueRef>> values;
    for (const auto& mask : masks) {
      if (mask && !*mask) {
        refuse(node);
        return masks[0];
      }
      values.push_back(mask ? std::optional(value_of(**mask)) : std::nullopt);
    }
    add_list_argument(node, "mask", values);
    return masks[0];
  }

  // MultiHeadAttention and GroupedQueryAttention: what their masks say together is an attention_mask.
  std::optional<Mask> take_heads(FrameworkNode& node) {
    name_arguments(node, 3, head_arguments());
    const bool multi = node.class_name == "MultiHeadAttention";
    std::vector<std::pair<std::string, Mask>> masks;
    std::vector<ValueRef> cleared;
    for (std::size_t place = 0; place < 3; ++place) {
      const std::string name = head_arguments()[place];
      const auto number = argument_of(node, place, name);
      if (!number) continue;
      const ValueRef value = node.inputs.at(*number).value;
      const auto said = argument_of(node, std::string::npos, name + "_mask");
      auto mask = mask_on(value);
      if (multi && mask) cleared.push_back(value);
      // MultiHeadAttention goes by the mask on its query whatever it is called with.
      if (said && !(multi && place == 0)) mask = stated(node.inputs.at(*said).value);
      if (mask) masks.emplace_back(name, *mask);
    }
    const std::optional<Mask> of_query =
        !masks.empty() && masks[0].first == "query" ? std::optional(masks[0].second) : std::nullopt;
    if (!allowed(node, masks, cleared)) return of_query;
    join_masks(node, masks);
    for (const ValueRef& value : cleared) masks_.erase(tensor_of(value));
    return of_query;
  }

  // Whether the masks are known; refuses the layer where they are not.
  bool allowed(const FrameworkNode& node, const std::vector<std::pair<std::string, Mask>>& masks,
               const std::vector<ValueRef>& cleared) {
    if (!cleared.empty() && !rival_.empty()) {
      findings_.push_back({Severity::forbids, node.name + " (" + node.class_name + ")",
                           "Keras takes the mask off its inputs when it has run, and " + rival_ +
                               " reads the mask of one of them, before or after",
                           "let one of the two need the other's output, or use GroupQueryAttention, which "
                           "leaves masks alone"});
      return false;
    }
    const bool unknown_mask = std::ranges::any_of(masks, [](const auto& one) { return !one.second; });
    if (!masks.empty() && (unknown_mask || is_keras2(model_))) {
      refuse(node);
      return false;
    }
    return true;
  }

  void join_masks(FrameworkNode& node, const std::vector<std::pair<std::string, Mask>>& masks) {
    const auto given = argument_of(node, std::string::npos, "attention_mask");
    std::optional<ValueRef> all;
    if (given) all = node.inputs[*given].value;
    for (const auto& [name, mask] : masks) {
      const ValueRef wide = push(operator_on(node.name + "_" + name + "_mask", "ExpandDims",
                                             {value_of(*mask)}, {{"axis", name == "query" ? -1 : -2}}));
      all = all ? push(operator_on(node.name + "_" + name + "_and", "LogicalAnd", {*all, wide})) : wide;
    }
    remove_arguments(node, {"query_mask", "value_mask", "key_mask"});
    if (masks.empty()) return;
    remove_arguments(node, {"attention_mask"});
    add_argument(node, "attention_mask", *all);
  }

  void refuse(const FrameworkNode& node) {
    findings_.push_back(
        {Severity::forbids, node.name + " (" + node.class_name + ")",
         "the mask that reaches it (mask_zero, Masking) is not carried for this layer",
         "leave the mask out where no input is padded, or state the masked arithmetic with layers "
         "of its own"});
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the layers that join masks, each of which it makes once.
  ValueRef value_of(MaskSource& source) {
    if (source.made) return *source.made;
    if (source.parts.empty()) {
      for (FrameworkNode& node : mask_nodes(source.maker, static_cast<int>(model_.nodes.size())))
        source.made = push(std::move(node));
      return *source.made;
    }
    ValueRef all = value_of(*source.parts[0]);
    for (std::size_t k = 1; k < source.parts.size(); ++k)
      all = push(operator_on(source.maker.name + "_mask", "LogicalOr", {all, value_of(*source.parts[k])}));
    source.made = all;
    return all;
  }

  FrameworkModel& model_;
  std::vector<int> place_;       // of each old node
  std::map<Place, Mask> masks_;  // of tensors
  std::map<Place, Place> same_;  // values that are the same tensor as another
  std::string rival_;            // of the present node, see MaskReaders
  Findings findings_;
};

bool has_mask(const FrameworkNode& node) {
  const auto is_mask = [](const NodeInput& input) { return input.keyword.ends_with("mask"); };
  return mask_role(node) == MaskRole::makes || std::ranges::any_of(node.inputs, is_mask);
}

}  // namespace

Findings state_masks(FrameworkModel& model) {
  if (model.framework != Framework::keras || !model.has_architecture) return {};
  if (std::ranges::none_of(model.nodes, has_mask)) return {};
  return Masks(model).run();
}

}  // namespace tieout
