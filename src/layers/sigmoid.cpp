#include <cmath>

#include "layers/shared/elementwise.h"

// y = 1 / (1 + exp(-x))

namespace tieout::layers {

LayerKind sigmoid() {
  Elementwise form;
  form.name = "sigmoid";
  form.torch = exact({"Sigmoid"});
  form.keras = exact({"activation:sigmoid", "Sigmoid"});
  form.summary = "y = 1 / (1 + exp(-x)).";
  form.function = [](double x, const Json&) { return 1 / (1 + std::exp(-x)); };
  form.write = write_plain("Sigmoid", "sigmoid");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Sigmoid", "sigmoid");
  return kind;
}

}  // namespace tieout::layers
