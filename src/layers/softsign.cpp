#include <cmath>

#include "layers/shared/elementwise.h"

// y = x / (1 + |x|)

namespace tieout::layers {

LayerKind softsign() {
  Elementwise form;
  form.name = "softsign";
  form.torch = exact({"Softsign"});
  form.keras = exact({"activation:softsign", "Softsign"});
  form.summary = "y = x / (1 + |x|).";
  form.function = [](double x, const Json&) { return x / (1 + std::abs(x)); };
  form.write = write_plain("Softsign", "softsign");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Softsign", "softsign");
  return kind;
}

}  // namespace tieout::layers
