#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"

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
    lowerer.refuse("Keras has CELU as a function with alpha = 1 only, this one has " + alpha.dump(),
                   "use alpha=1, or nn.ELU with its alpha");
  }
}

}  // namespace

LayerKind celu() {
  Elementwise form;
  form.name = "celu";
  form.torch = exact({"CELU"});
  form.keras = exact({"activation:celu"});
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
  kind.cases = plain_cases("CELU", "celu");
  return kind;
}

}  // namespace tieout::layers
