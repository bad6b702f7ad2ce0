#include <cmath>

#include "layers/shared/elementwise.h"

// y = x above 0, alpha (exp(x) - 1) below

namespace tieout::layers {

LayerKind elu() {
  Elementwise form;
  form.name = "elu";
  form.torch = exact({"ELU"});
  form.keras = exact({"ELU", "activation:elu", "Elu"});
  form.summary = "y = x for x > 0, alpha (exp(x) - 1) otherwise.";
  form.read = [](Lifter& lifter) { return Json{{"alpha", lifter.settings().number("alpha", 1)}}; };
  form.function = [](double x, const Json& settings) {
    return x > 0 ? x : settings["alpha"].get<double>() * std::expm1(x);
  };
  form.write = [](Lowerer& lowerer) { lowerer.add("ELU", {{"alpha", lowerer.layer().settings["alpha"]}}); };
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {
      wrong_setting("alpha", "alpha is left out: it is 1 where nobody says it", "alpha", 1.0, 1.0)};
  kind.cases = {torch_case("default", "ELU", Json::object(), {2, 3, 4, 5}),
                torch_case("alpha 0.5", "ELU", {{"alpha", 0.5}}, {3, 7}),
                keras_case("default", "ELU", Json::object(), {2, 4, 5, 3}),
                keras_case("alpha 0.5", "ELU", {{"alpha", 0.5}}, {3, 7}),
                keras_case("the function", "Activation", {{"activation", "elu"}}, {3, 7})};
  return kind;
}

}  // namespace tieout::layers
