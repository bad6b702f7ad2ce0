#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"

// y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1))

namespace tieout::layers {

namespace {

void write(Lowerer& lowerer) {
  const auto& alpha = lowerer.layer().settings["alpha"];
  if (lowerer.to_torch()) {
    lowerer.add("CELU", {{"alpha", alpha}});
  } else if (alpha == 1.0) {
    lowerer.add("Activation", {{"activation", "celu"}});
  } else {
    add_operation(lowerer, "Celu", {{"alpha", alpha}});
  }
}

}  // namespace

LayerKind celu() {
  Elementwise form;
  form.name = "celu";
  form.torch = exact({"CELU"});
  form.keras = exact({"activation:celu", "Celu"});
  form.summary = "y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)).";
  form.read = [](Lifter& lifter) {
    const double alpha = lifter.settings().number("alpha", 1);
    if (alpha == 0) lifter.refuse("its alpha is 0", "use another alpha");
    return Json{{"alpha", alpha}};
  };
  form.function = [](double x, const Json& settings) {
    const double alpha = settings["alpha"].get<double>();
    return std::max(x, 0.0) + std::min(0.0, alpha * std::expm1(x / alpha));
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {
      wrong_setting("alpha", "alpha is left out: it is 1 where nobody says it", "alpha", 1.0, 1.0)};
  kind.cases = plain_cases("CELU", "celu");
  kind.cases.push_back(torch_case("alpha 0.7", "CELU", {{"alpha", 0.7}}, {3, 7}));
  kind.cases.push_back(
      torch_case("alpha 0.5, in place", "CELU", {{"alpha", 0.5}, {"inplace", true}}, {2, 3, 4, 5}));
  // Keras passes other alphas through float32.
  kind.cases[4].keras_rounds_to_float32 = true;
  return kind;
}

}  // namespace tieout::layers
