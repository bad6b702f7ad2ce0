#include <cmath>

#include "layers/shared/elementwise.h"

// y = x / (1 + exp(-x)), also called swish

namespace tieout::layers {

LayerKind silu() {
  Elementwise form;
  form.name = "silu";
  form.torch = exact({"SiLU"});
  form.keras = exact({"activation:silu", "activation:swish", "Silu"});
  form.summary = "y = x / (1 + exp(-x)).";
  form.function = [](double x, const Json&) { return x / (1 + std::exp(-x)); };
  form.write = write_plain("SiLU", "silu");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("SiLU", "silu");
  return kind;
}

}  // namespace tieout::layers
