#include "layers/shared/elementwise.h"

// y = x

namespace tieout::layers {

LayerKind identity() {
  Elementwise form;
  form.name = "identity";
  form.torch = exact({"Identity"});
  form.keras = exact({"Identity", "ActivityRegularization", "activation:linear"});
  form.summary = "y = x.";
  form.function = [](double x, const Json&) { return x; };
  form.write = [](Lowerer& lowerer) { lowerer.add("Identity", Json::object()); };
  LayerKind kind = elementwise_kind(form);
  kind.cases = {torch_case("image", "Identity", Json::object(), {2, 3, 4, 5}),
                keras_case("image", "Identity", Json::object(), {2, 4, 5, 3}),
                keras_case("a penalty in training", "ActivityRegularization", {{"l2", 0.1}}, {2, 4})};
  return kind;
}

}  // namespace tieout::layers
