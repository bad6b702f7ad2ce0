#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"

// y = log(1 + exp(beta x)) / beta; PyTorch gives x where beta x is above a threshold (20 by default), Keras
// never does.

namespace tieout::layers {

namespace {

// From here on exp(-x) is below float64's rounding of x: both forms give the same number.
constexpr double never_seen = 40;
// From here on it is below float32's.
constexpr double never_seen_in_float32 = 16;

Json read(Lifter& lifter) {
  if (lifter.is_keras()) return {{"beta", 1.0}, {"threshold", nullptr}};
  const double beta = lifter.settings().number("beta", 1);
  if (beta == 0) lifter.refuse("its beta is 0", "use another beta");
  const double threshold = lifter.settings().number("threshold", 20);
  return {{"beta", beta}, {"threshold", threshold >= never_seen ? Json(nullptr) : Json(threshold)}};
}

double softplus_of(double x, const Json& settings) {
  const double beta = settings["beta"].get<double>();
  const double scaled = beta * x;
  if (!settings["threshold"].is_null() && scaled > settings["threshold"].get<double>()) return x;
  return (std::max(scaled, 0.0) + std::log1p(std::exp(-std::abs(scaled)))) / beta;
}

void write(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const Json& threshold = settings["threshold"];
  if (lowerer.to_torch()) {
    lowerer.add("Softplus", {{"beta", settings["beta"]},
                             {"threshold", threshold.is_null() ? Json(never_seen) : threshold}});
    return;
  }
  if (!threshold.is_null() && threshold.get<double>() < never_seen_in_float32) {
    lowerer.refuse("Keras' softplus has no threshold, this one has " + threshold.dump(),
                   "use the default threshold, 20");
  }
  const double beta = settings["beta"].get<double>();
  if (beta == 1) {
    lowerer.add("Activation", {{"activation", "softplus"}});
    return;
  }
  // softplus(x) = -log_sigmoid(-x). A softplus in the middle would look like the whole layer.
  lowerer.add("Rescaling", {{"scale", -beta}, {"offset", 0.0}}, {}, "scale");
  lowerer.add("Activation", {{"activation", "log_sigmoid"}});
  lowerer.add("Rescaling", {{"scale", -1 / beta}, {"offset", 0.0}}, {}, "scale_back");
}

}  // namespace

LayerKind softplus() {
  Elementwise form;
  form.name = "softplus";
  form.torch = exact({"Softplus"});
  form.keras = exact({"activation:softplus", "Softplus"});
  form.summary = "y = log(1 + exp(beta x)) / beta.";
  form.read = read;
  form.function = softplus_of;
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {wrong_setting("beta", "beta is left out: Keras' softplus has none", "beta", 1.0, 1.0)};
  kind.cases = plain_cases("Softplus", "softplus");
  kind.cases.push_back(torch_case("beta 2", "Softplus", {{"beta", 2.0}}, {3, 7}));
  kind.cases.push_back(torch_case("beta 0.5, a high threshold", "Softplus",
                                  {{"beta", 0.5}, {"threshold", 50.0}}, {2, 3, 4, 5}));
  return kind;
}

}  // namespace tieout::layers
