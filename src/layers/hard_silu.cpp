#include <algorithm>

#include "layers/shared/elementwise.h"

// y = x min(max(x + 3, 0), 6) / 6, also called hard swish

namespace tieout::layers {

LayerKind hard_silu() {
  Elementwise form;
  form.name = "hard_silu";
  form.torch = exact({"Hardswish"});
  form.keras = exact({"activation:hard_silu", "activation:hard_swish", "HardSilu"});
  form.summary = "y = x min(max(x + 3, 0), 6) / 6.";
  form.function = [](double x, const Json&) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; };
  form.write = write_plain("Hardswish", "hard_silu");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Hardswish", "hard_silu");
  return kind;
}

}  // namespace tieout::layers
