#include <cmath>

#include "layers/shared/elementwise.h"
#include "tensor/fast_tanh.h"

// y = tanh(x)

namespace tieout::layers {

LayerKind tanh() {
  Elementwise form;
  form.name = "tanh";
  form.torch = exact({"Tanh"});
  form.keras = exact({"activation:tanh", "Tanh"});
  form.summary = "y = tanh(x).";
  form.function = [](double x, const Json&) { return std::tanh(x); };
  form.fast_function = [](std::span<double> numbers, const Json&) { fast_tanh(numbers); };
  form.write = write_plain("Tanh", "tanh");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("Tanh", "tanh");
  return kind;
}

}  // namespace tieout::layers
