#include <cmath>
#include <numbers>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"

// y = x Phi(x), Phi the normal distribution; or its approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715
// x^3))). Both frameworks use the exact form unless told otherwise; Keras can be told
// by its operation only.

namespace tieout::layers {

namespace {

Json read(Lifter& lifter) {
  // Keras' operation approximates by default, its activation function does not.
  if (lifter.is_keras())
    return {{"approximate", lifter.settings().flag("approximate", lifter.node().class_name == "Gelu")}};
  const std::string mode = lifter.settings().text("approximate", "none");
  if (mode != "none" && mode != "tanh")
    lifter.refuse("the approximation \"" + mode + "\" is not known", "use none or tanh");
  return {{"approximate", mode == "tanh"}};
}

auto gelu_of(const Json& settings) {
  return [approximate = settings["approximate"].get<bool>()](double x) {
    if (!approximate) return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  };
}

void write(Lowerer& lowerer) {
  const bool approximate = lowerer.layer().settings["approximate"].get<bool>();
  if (lowerer.to_torch()) {
    lowerer.add("GELU", approximate ? Json{{"approximate", "tanh"}} : Json::object());
  } else if (!approximate) {
    lowerer.add("Activation", {{"activation", "gelu"}});
  } else {
    add_operation(lowerer, "Gelu", {{"approximate", true}});
  }
}

}  // namespace

LayerKind gelu() {
  Elementwise form;
  form.name = "gelu";
  form.torch = exact({"GELU"});
  form.keras = exact({"activation:gelu", "Gelu"});
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
  kind.cases.push_back(torch_case("tanh", "GELU", {{"approximate", "tanh"}}, {2, 3, 4, 5}));
  kind.cases.push_back(torch_case("tanh, vector", "GELU", {{"approximate", "tanh"}}, {3, 7}));
  // Keras passes its constants through float32.
  for (auto& test : kind.cases) test.keras_rounds_to_float32 = true;
  return kind;
}

}  // namespace tieout::layers
