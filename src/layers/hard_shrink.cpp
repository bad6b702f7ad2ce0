#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"

// y = x, 0 within lambda of 0. Lambda is 0.5 by default; Keras has others as an operation.

namespace tieout::layers {

namespace {

void write(Lowerer& lowerer) {
  const auto& lambda = lowerer.layer().settings["lambda"];
  if (lowerer.to_torch()) {
    lowerer.add("Hardshrink", {{"lambd", lambda}});
  } else if (lambda == 0.5) {
    lowerer.add("Activation", {{"activation", "hard_shrink"}});
  } else {
    add_operation(lowerer, "HardShrink", {{"threshold", lambda}});
  }
}

}  // namespace

LayerKind hard_shrink() {
  Elementwise form;
  form.name = "hard_shrink";
  form.torch = exact({"Hardshrink"});
  form.keras = exact({"activation:hard_shrink", "HardShrink"});
  form.summary = "y = x, 0 within lambda of 0.";
  form.read = [](Lifter& lifter) {
    return Json{{"lambda", lifter.settings().number(lifter.is_torch() ? "lambd" : "threshold", 0.5)}};
  };
  form.function = [](double x, const Json& settings) {
    const double lambda = settings["lambda"].get<double>();
    return x > lambda || x < -lambda ? x : 0.0;
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {
      wrong_setting("lambda", "lambda is left out: it is 0.5 where nobody says it", "lambda", 0.5, 0.5)};
  kind.cases = plain_cases("Hardshrink", "hard_shrink");
  kind.cases.push_back(torch_case("lambda 0.25", "Hardshrink", {{"lambd", 0.25}}, {3, 7}));
  return kind;
}

}  // namespace tieout::layers
