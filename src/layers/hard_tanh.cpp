#include <algorithm>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"

// y = min(max(x, low), high), -1 and 1 by default

namespace tieout::layers {

namespace {

Json read(Lifter& lifter) {
  const double low = lifter.settings().number(lifter.is_torch() ? "min_val" : "x_min", -1);
  const double high = lifter.settings().number(lifter.is_torch() ? "max_val" : "x_max", 1);
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
    add_operation(lowerer, "Clip", {{"x_min", settings["min"]}, {"x_max", settings["max"]}},
                  "keras.src.ops.numpy");
  }
}

}  // namespace

LayerKind hard_tanh() {
  Elementwise form;
  form.name = "hard_tanh";
  form.torch = exact({"Hardtanh"});
  form.keras = exact({"activation:hard_tanh", "HardTanh", "Clip"});
  form.summary = "y = min(max(x, low), high).";
  form.read = read;
  form.function = [](double x, const Json& settings) {
    return std::min(std::max(x, settings["min"].get<double>()), settings["max"].get<double>());
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {{"range", "the range is left out: it is -1 to 1 where nobody says it",
                    [](Layer& layer, Framework, const std::vector<Axes>&) {
                      const Json own = layer.settings;
                      layer.settings["min"] = -1.0;
                      layer.settings["max"] = 1.0;
                      return layer.settings != own;
                    }}};
  kind.cases = plain_cases("Hardtanh", "hard_tanh");
  kind.cases.push_back(torch_case("0 to 2", "Hardtanh", {{"min_val", 0.0}, {"max_val", 2.0}}, {3, 7}));
  kind.cases.push_back(
      torch_case("-0.5 to 0.25", "Hardtanh", {{"min_val", -0.5}, {"max_val", 0.25}}, {2, 3, 4, 5}));
  return kind;
}

}  // namespace tieout::layers
