#include <cmath>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"
#include "layers/shared/operator_call.h"

// y = (x + sqrt(x^2 + b)) / 2, b being 4 unless told otherwise.

namespace tieout::layers {

namespace {

void write(Lowerer& lowerer) {
  const auto& b = lowerer.layer().settings["b"];
  if (lowerer.to_torch()) {
    lowerer.add("torch.squareplus", {{"b", b}}, "({0} + ({0}.square() + " + b.dump() + ").sqrt()) / 2");
  } else if (b == 4.0) {
    lowerer.add("Activation", {{"activation", "squareplus"}});
  } else {
    add_operation(lowerer, "Squareplus", {{"b", b}});
  }
}

}  // namespace

LayerKind squareplus() {
  Elementwise form;
  form.name = "squareplus";
  form.torch = exact({"torch.squareplus"});
  form.keras = exact({"activation:squareplus", "Squareplus"});
  form.summary = "y = (x + sqrt(x^2 + b)) / 2.";
  form.read = [](Lifter& lifter) { return Json{{"b", lifter.settings().number("b", 4)}}; };
  form.function = [](double x, const Json& settings) {
    return (x + std::sqrt(x * x + settings["b"].get<double>())) / 2;
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {wrong_setting("b", "b is left out: it is 4 where nobody says it", "b", 4.0, 4.0)};
  kind.cases = {keras_case("image", "Activation", {{"activation", "squareplus"}}, {2, 4, 5, 3}),
                keras_case("vector", "Activation", {{"activation", "squareplus"}}, {3, 7}),
                operator_case("b 2", "Squareplus", {{"b", 2.0}}, {{3, 7}})};
  return kind;
}

}  // namespace tieout::layers
