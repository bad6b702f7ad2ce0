#include <algorithm>

#include "layers/shared/elementwise.h"

// y = min(max(slope x + 0.5, 0), 1), the slope being 1/6. Keras 2's function of the same name has the slope
// 0.2.

namespace tieout::layers {

LayerKind hard_sigmoid() {
  Elementwise form;
  form.name = "hard_sigmoid";
  form.torch = exact({"Hardsigmoid"});
  form.keras = exact({"activation:hard_sigmoid"});
  form.summary = "y = min(max(x / 6 + 0.5, 0), 1).";
  form.read = [](Lifter&) { return Json{{"slope", 1.0 / 6.0}}; };
  form.function = [](double x, const Json& settings) {
    return std::clamp(settings["slope"].get<double>() * x + 0.5, 0.0, 1.0);
  };
  form.write = write_plain("Hardsigmoid", "hard_sigmoid");
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {
      wrong_setting("keras2_slope", "the slope is 0.2, as in Keras 2, instead of 1/6", "slope", 0.2, 0.2)};
  kind.cases = plain_cases("Hardsigmoid", "hard_sigmoid");
  return kind;
}

}  // namespace tieout::layers
