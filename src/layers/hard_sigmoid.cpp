#include <algorithm>

#include "layers/shared/elementwise.h"

// y = min(max(slope x + 0.5, 0), 1), the slope being 1/6. Keras 2's function of the same name has the slope
// 0.2: Lifter::add_activation says so.

namespace tieout::layers {

namespace {

// Keras 3 has no name for Keras 2's function, but it is a rescaling and a limited ReLU.
void write(Lowerer& lowerer) {
  const auto& slope = lowerer.layer().settings["slope"];
  if (slope == 1.0 / 6.0) {
    write_plain("Hardsigmoid", "hard_sigmoid")(lowerer);
  } else if (lowerer.to_torch()) {
    lowerer.add("torch.hard_sigmoid", {{"slope", slope}},
                "({0} * " + slope.dump() + " + 0.5).clamp(0.0, 1.0)");
  } else {
    lowerer.add("Rescaling", {{"scale", slope}, {"offset", 0.5}}, {}, "scale");
    lowerer.add("ReLU", {{"max_value", 1.0}});
  }
}

}  // namespace

LayerKind hard_sigmoid() {
  Elementwise form;
  form.name = "hard_sigmoid";
  form.torch = exact({"Hardsigmoid", "torch.hard_sigmoid"});
  form.keras = exact({"activation:hard_sigmoid", "HardSigmoid"});
  form.summary = "y = min(max(x / 6 + 0.5, 0), 1).";
  form.read = [](Lifter& lifter) { return Json{{"slope", lifter.settings().number("slope", 1.0 / 6.0)}}; };
  form.function = [](double x, const Json& settings) {
    return std::clamp(settings["slope"].get<double>() * x + 0.5, 0.0, 1.0);
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {
      wrong_setting("keras2_slope", "the slope is 0.2, as in Keras 2, instead of 1/6", "slope", 0.2, 0.2)};
  kind.cases = plain_cases("Hardsigmoid", "hard_sigmoid");
  return kind;
}

}  // namespace tieout::layers
