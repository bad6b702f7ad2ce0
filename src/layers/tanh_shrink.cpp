#include <cmath>

#include "layers/shared/elementwise.h"

// y = x - tanh(x)

namespace tieout::layers {

LayerKind tanh_shrink() {
  Elementwise form;
  form.name = "tanh_shrink";
  form.torch = exact({"Tanhshrink"});
  form.keras = exact({"activation:tanh_shrink", "TanhShrink"});
  form.summary = "y = x - tanh(x).";
  form.function = [](double x, const Json&) { return x - std::tanh(x); };
  form.write = write_plain("Tanhshrink", "tanh_shrink");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Tanhshrink", "tanh_shrink");
  return kind;
}

}  // namespace tieout::layers
