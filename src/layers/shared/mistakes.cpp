#include "layers/shared/mistakes.h"

#include <algorithm>

namespace tieout {

namespace {

bool reverse_inputs(Layer& layer, Framework, const std::vector<Axes>&) {
  if (layer.settings.contains("operands")) {
    auto& operands = layer.settings["operands"].get_ref<Json::array_t&>();
    const auto own = operands;
    std::ranges::reverse(operands);
    return operands != own;
  }
  const auto own = layer.inputs;
  std::ranges::reverse(layer.inputs);
  std::ranges::reverse(layer.orders);
  return layer.inputs != own;
}

}  // namespace

Mistake forgotten_mistake(const std::string& name, const std::string& message,
                          const std::vector<std::pair<std::string, double>>& parameters) {
  const auto mutate = [=](Layer& layer, Framework, const std::vector<Axes>&) {
    bool changed = false;
    for (const auto& [forgotten, value] : parameters) {
      const auto found = std::ranges::find(layer.parameters, forgotten, &Parameter::name);
      if (found == layer.parameters.end() || found->terms.empty()) continue;
      found->terms.clear();
      found->constant = value;
      changed = true;
    }
    return changed;
  };
  return {name, message, mutate};
}

Mistake reversed_inputs_mistake(const std::string& message) {
  return {"input_order", message, reverse_inputs};
}

}  // namespace tieout
