#include <algorithm>

#include "layers/shared/elementwise.h"

// y = min(max(x, low), high), -1 and 1 by default

namespace tieout::layers {

namespace {

Json read(Lifter& lifter) {
  if (lifter.is_keras()) return {{"min", -1.0}, {"max", 1.0}};
  const double low = lifter.settings().number("min_val", -1);
  const double high = lifter.settings().number("max_val", 1);
  if (!(low <= high)) lifter.refuse("its min_val is above its max_val", "swap them");
  return {{"min", low}, {"max", high}};
}

void write(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  if (lowerer.to_torch()) {
    lowerer.add("Hardtanh", {{"min_val", settings["min"]}, {"max_val", settings["max"]}});
  } else if (settings["min"] == -1.0 && settings["max"] == 1.0) {
    lowerer.add("Activation", {{"activation", "hard_tanh"}});
  } else if (settings["min"] == 0.0) {
    lowerer.add("ReLU", {{"max_value", settings["max"]}});
  } else {
    lowerer.refuse(
        "Keras has no layer that limits to " + settings["min"].dump() + " and " + settings["max"].dump(),
        "use -1 and 1, or 0 and any upper limit");
  }
}

}  // namespace

LayerKind hard_tanh() {
  Elementwise form;
  form.name = "hard_tanh";
  form.torch = exact({"Hardtanh"});
  form.keras = exact({"activation:hard_tanh"});
  form.summary = "y = min(max(x, low), high).";
  form.read = read;
  form.function = [](double x, const Json& settings) {
    return std::min(std::max(x, settings["min"].get<double>()), settings["max"].get<double>());
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Hardtanh", "hard_tanh");
  kind.cases.push_back(torch_case("0 to 2", "Hardtanh", {{"min_val", 0.0}, {"max_val", 2.0}}, {3, 7}));
  return kind;
}

}  // namespace tieout::layers
