#include "layers/record/infer.h"

#include "layers/layer_kind.h"

namespace tieout {

Axes to_canonical(const Axes& axes, const std::vector<int>& order) {
  if (order.empty()) return axes;
  Axes canonical;
  for (const int place : order) canonical.push_back(axes.at(static_cast<std::size_t>(place)));
  return canonical;
}

Axes from_canonical(const Axes& canonical, const std::vector<int>& order) {
  if (order.empty()) return canonical;
  Axes axes(canonical.size());
  for (std::size_t k = 0; k < canonical.size(); ++k)
    axes.at(static_cast<std::size_t>(order.at(k))) = canonical[k];
  return axes;
}

std::vector<Axes> canonical_outputs(const Layer& layer, const std::vector<Axes>& inputs) {
  std::vector<Axes> canonical;
  for (std::size_t k = 0; k < inputs.size(); ++k)
    canonical.push_back(to_canonical(inputs[k], layer.orders.at(k)));
  const LayerKind& kind = kind_named(layer.kind);
  return kind.infer ? kind.infer(layer, canonical) : std::vector<Axes>{canonical.at(0)};
}

std::vector<Axes> output_axes(const Layer& layer, const std::vector<Axes>& inputs) {
  std::vector<Axes> outputs = canonical_outputs(layer, inputs);
  outputs.at(0) = from_canonical(outputs[0], layer.output_order);
  return outputs;
}

}  // namespace tieout
