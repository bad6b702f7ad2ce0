#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"

// y = -log(1 + exp(-x))

namespace tieout::layers {

LayerKind log_sigmoid() {
  Elementwise form;
  form.name = "log_sigmoid";
  form.torch = exact({"LogSigmoid"});
  form.keras = exact({"activation:log_sigmoid", "LogSigmoid"});
  form.summary = "y = -log(1 + exp(-x)).";
  form.function = [](double x, const Json&) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); };
  form.write = write_plain("LogSigmoid", "log_sigmoid");
  LayerKind kind = elementwise_kind(form);
  kind.cases = plain_cases("LogSigmoid", "log_sigmoid");
  return kind;
}

}  // namespace tieout::layers
