#include <cmath>

#include "layers/shared/elementwise.h"

// y = exp(x)

namespace tieout::layers {

LayerKind exponential() {
  Elementwise form;
  form.name = "exponential";
  form.torch = exact({"torch.exp"});
  form.keras = exact({"activation:exponential", "Exp"});
  form.summary = "y = exp(x).";
  form.function = [](double x, const Json&) { return std::exp(x); };
  form.write = [](Lowerer& lowerer) {
    if (lowerer.to_torch()) {
      lowerer.add("torch.exp", Json::object(), "torch.exp({0})");
    } else {
      lowerer.add("Activation", {{"activation", "exponential"}});
    }
  };
  LayerKind kind = elementwise_kind(form);
  kind.cases = {keras_case("vector", "Activation", {{"activation", "exponential"}}, {3, 7})};
  return kind;
}

}  // namespace tieout::layers
