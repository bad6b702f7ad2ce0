#include "convert/layout.h"

#include <algorithm>
#include <numeric>

#include "layers/layer_kind.h"
#include "model/usual_layout.h"
#include "tieout/error.h"

namespace tieout {

namespace {

const Axes& axes_of(const Model& model, int value) {
  return model.values[static_cast<std::size_t>(value)].axes;
}

bool has_parts(const Model& model, int value) {
  return std::ranges::any_of(axes_of(model, value), [](const Axis& axis) { return !axis.parts.empty(); });
}

// Whether the flattened value may come in another feature order: only if everything that reads it can follow.
bool may_reorder(const Model& model, int value) {
  if (std::ranges::find(model.outputs, value) != model.outputs.end()) return false;
  return std::ranges::all_of(model.layers, [&](const Layer& layer) {
    if (std::ranges::find(layer.inputs, value) == layer.inputs.end()) return true;
    if (!kind_named(layer.kind).absorbs_flatten) return false;
    return std::ranges::all_of(
        layer.outputs, [&](int output) { return !has_parts(model, output) || may_reorder(model, output); });
  });
}

}  // namespace

std::vector<std::string> needed_layout(const Model& source, const Layer& layer, std::size_t k,
                                       Framework target, const std::set<int>& ordered) {
  const LayerKind& kind = kind_named(layer.kind);
  LayoutNeed need = kind.need ? kind.need(layer, target) : LayoutNeed{};
  const auto index = static_cast<int>(&layer - source.layers.data());
  const auto names = names_of(axes_of(source, layer.inputs.at(k)));
  if (ordered.contains(index)) {
    // The order in which the layer itself counts the elements.
    need.kind = LayoutNeed::Kind::canonical;
    need.order.resize(names.size());
    std::iota(need.order.begin(), need.order.end(), 0);
  }
  if (need.kind == LayoutNeed::Kind::source) return names;
  if (need.kind == LayoutNeed::Kind::any) return {};
  std::vector<std::string> wanted;
  for (const int canonical : need.order) {
    // An input of lower rank (a mask, a state) has the first of the axes only.
    if (canonical >= static_cast<int>(names.size())) continue;
    const auto& order = layer.orders.at(k);
    const int place = order.empty() ? canonical : order.at(static_cast<std::size_t>(canonical));
    wanted.push_back(names.at(static_cast<std::size_t>(place)));
  }
  return wanted;
}

std::vector<std::string> input_layout(const Model& source, int value, Framework target) {
  for (const auto& layer : source.layers) {
    for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
      if (layer.inputs[k] != value) continue;
      auto wanted = needed_layout(source, layer, k, target, {});
      if (!wanted.empty()) return wanted;
      // The layer takes any order and hands it on: ask who comes after it.
      const auto names = names_of(axes_of(source, value));
      if (layer.outputs.empty() || names_of(axes_of(source, layer.outputs[0])).size() != names.size())
        continue;
      wanted = input_layout(source, layer.outputs[0], target);
      if (std::ranges::is_permutation(wanted, names)) return wanted;
    }
  }
  return {};
}

std::set<int> order_keeping_layers(const Model& source) {
  std::set<int> layers;
  for (std::size_t i = 0; i < source.layers.size(); ++i) {
    const Layer& layer = source.layers[i];
    const bool flattens =
        !layer.outputs.empty() && has_parts(source, layer.outputs[0]) &&
        std::ranges::none_of(layer.inputs, [&](int value) { return has_parts(source, value); });
    if (flattens && !may_reorder(source, layer.outputs[0])) layers.insert(static_cast<int>(i));
  }
  return layers;
}

std::vector<int> permutation(const Axes& axes, const std::vector<std::string>& names) {
  if (names.empty() || names_of(axes) == names) return {};
  std::vector<int> order;
  for (const auto& name : names) {
    const auto found = std::ranges::find(axes, name, &Axis::name);
    if (found == axes.end()) throw internal_error("the axis " + name + " is lost between two layers");
    order.push_back(static_cast<int>(found - axes.begin()));
  }
  return order;
}

}  // namespace tieout
