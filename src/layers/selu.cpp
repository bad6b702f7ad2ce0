#include <cmath>

#include "layers/shared/elementwise.h"

// y = scale x above 0, scale alpha (exp(x) - 1) below; the constants are those of
// https://arxiv.org/abs/1706.02515

namespace tieout::layers {

namespace {

constexpr double alpha = 1.6732632423543772848170429916717;
constexpr double scale = 1.0507009873554804934193349852946;

}  // namespace

LayerKind selu() {
  Elementwise form;
  form.name = "selu";
  form.torch = exact({"SELU"});
  form.keras = exact({"activation:selu", "Selu"});
  form.summary = "y = scale x for x > 0, scale alpha (exp(x) - 1) otherwise.";
  form.function = [](double x, const Json&) { return scale * (x > 0 ? x : alpha * std::expm1(x)); };
  form.write = write_plain("SELU", "selu");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("SELU", "selu");
  return kind;
}

}  // namespace tieout::layers
