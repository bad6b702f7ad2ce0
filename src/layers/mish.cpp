#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"

// y = x tanh(log(1 + exp(x)))

namespace tieout::layers {

LayerKind mish() {
  Elementwise form;
  form.name = "mish";
  form.torch = exact({"Mish"});
  form.keras = exact({"activation:mish"});
  form.summary = "y = x tanh(log(1 + exp(x))).";
  form.function = [](double x, const Json&) {
    return x * std::tanh(std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))));
  };
  form.write = write_plain("Mish", "mish");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Mish", "mish");
  return kind;
}

}  // namespace tieout::layers
