#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"

// y = x above the threshold, a fixed value elsewhere. Keras: ReLU(threshold=...), whose value is 0, or
// the operation.

namespace tieout::layers {

namespace {

void write(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  if (lowerer.to_torch()) {
    lowerer.add("Threshold", settings);
  } else if (settings["value"] == 0.0) {
    lowerer.add("ReLU", {{"threshold", settings["threshold"]}});
  } else {
    add_operation(lowerer, "Threshold",
                  {{"threshold", settings["threshold"]}, {"default_value", settings["value"]}});
  }
}

}  // namespace

LayerKind threshold() {
  Elementwise form;
  form.name = "threshold";
  form.torch = exact({"Threshold"});
  form.keras = exact({"Threshold"});
  form.summary = "y = x for x > threshold, value otherwise.";
  form.read = [](Lifter& lifter) {
    return Json{{"threshold", lifter.settings().number("threshold", 0)},
                {"value", lifter.settings().number(lifter.is_torch() ? "value" : "default_value", 0)}};
  };
  form.function = [](double x, const Json& settings) {
    return x > settings["threshold"].get<double>() ? x : settings["value"].get<double>();
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {
      wrong_setting("value", "what is below the threshold becomes 0, as in Keras' ReLU", "value", 0.0, 0.0)};
  kind.cases = {
      torch_case("value 0", "Threshold", {{"threshold", 0.3}, {"value", 0.0}}, {2, 3, 4, 5}),
      torch_case("another value", "Threshold", {{"threshold", 0.25}, {"value", -2.0}}, {2, 3, 4, 5}),
      torch_case("below 0", "Threshold", {{"threshold", -0.5}, {"value", 3.0}}, {3, 7})};
  return kind;
}

}  // namespace tieout::layers
