#include "layers/shared/composition.h"

#include <utility>

namespace tieout {

int add_part(Lifter& lifter, const std::string& kind, const Json& settings, const std::string& helper,
             const std::vector<int>& inputs) {
  Layer layer = lifter.layer(kind);
  if (!helper.empty()) layer.name += "_" + helper;
  if (!inputs.empty()) layer.inputs = inputs;
  layer.settings = settings;
  const auto outputs = lifter.add(std::move(layer));
  return outputs.empty() ? -1 : outputs[0];
}

void add_root(Lifter& lifter, double p) {
  if (p <= 1 || lifter.weights_only()) {
    add_part(lifter, "binary_function", power_of(1 / p), "root");
    return;
  }
  const auto chosen = [](double otherwise) {
    return Json{{"operands", Json::array({{{"input", 0}}, {{"input", 1}}, otherwise})}};
  };
  const int x = lifter.outputs().at(0);
  Json is_not_zero = with_number(0.0);
  is_not_zero["function"] = "not_equal";
  const int nonzero = add_part(lifter, "binary_function", is_not_zero, "nonzero");
  add_part(lifter, "where", chosen(1), "safe", {nonzero, x});
  const int power = add_part(lifter, "binary_function", power_of(1 / p), "power");
  add_part(lifter, "where", chosen(0), "root", {nonzero, power});
}

Json with_number(const Json& number) {
  return {{"operands", Json::array({{{"input", 0}}, number})}};
}

Json power_of(const Json& number) {
  Json settings = with_number(number);
  settings["function"] = "power";
  return settings;
}

}  // namespace tieout
