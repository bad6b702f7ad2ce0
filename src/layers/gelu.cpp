#include <cmath>
#include <numbers>

#include "layers/shared/elementwise.h"

// y = x Phi(x), Phi the normal distribution; or its approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715
// x^3))). Both frameworks use the exact form unless told otherwise.

namespace tieout::layers {

namespace {

Json read(Lifter& lifter) {
  if (lifter.is_keras()) return {{"approximate", false}};
  const std::string mode = lifter.settings().text("approximate", "none");
  if (mode != "none" && mode != "tanh")
    lifter.refuse("the approximation \"" + mode + "\" is not known", "use none or tanh");
  return {{"approximate", mode == "tanh"}};
}

double gelu_of(double x, const Json& settings) {
  if (!settings["approximate"].get<bool>()) return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

void write(Lowerer& lowerer) {
  const bool approximate = lowerer.layer().settings["approximate"].get<bool>();
  if (lowerer.to_torch()) {
    lowerer.add("GELU", approximate ? Json{{"approximate", "tanh"}} : Json::object());
  } else if (!approximate) {
    lowerer.add("Activation", {{"activation", "gelu"}});
  } else {
    lowerer.refuse("Keras has no layer for GELU's tanh approximation",
                   "use nn.GELU() if a difference of up to 5e-4 does not matter to you");
  }
}

}  // namespace

LayerKind gelu() {
  Elementwise form;
  form.name = "gelu";
  form.torch = exact({"GELU"});
  form.keras = exact({"activation:gelu"});
  form.summary = "y = x Phi(x) with the normal distribution Phi, or its tanh approximation.";
  form.read = read;
  form.function = gelu_of;
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  const auto other = [](Layer& layer, Framework, const std::vector<Axes>&) {
    layer.settings["approximate"] = !layer.settings["approximate"].get<bool>();
    return true;
  };
  kind.mistakes = {
      {"approximation", "one side computes GELU exactly, the other by the tanh approximation", other}};
  kind.cases = plain_cases("GELU", "gelu");
  // Keras passes its constants through float32.
  for (auto& test : kind.cases) test.keras_rounds_to_float32 = true;
  return kind;
}

}  // namespace tieout::layers
