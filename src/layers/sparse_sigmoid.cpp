#include <algorithm>

#include "layers/shared/elementwise.h"

// y = min(max((x + 1) / 2, 0), 1)

namespace tieout::layers {

LayerKind sparse_sigmoid() {
  Elementwise form;
  form.name = "sparse_sigmoid";
  form.torch = exact({"torch.sparse_sigmoid"});
  form.keras = exact({"activation:sparse_sigmoid", "SparseSigmoid"});
  form.summary = "y = min(max((x + 1) / 2, 0), 1).";
  form.function = [](double x, const Json&) { return std::clamp(0.5 * (x + 1), 0.0, 1.0); };
  form.write = [](Lowerer& lowerer) {
    if (lowerer.to_torch()) {
      lowerer.add("torch.sparse_sigmoid", Json::object(), "(0.5 * ({0} + 1)).clamp(0, 1)");
    } else {
      lowerer.add("Activation", {{"activation", "sparse_sigmoid"}});
    }
  };
  LayerKind kind = elementwise_kind(form);
  kind.cases = {keras_case("image", "Activation", {{"activation", "sparse_sigmoid"}}, {2, 4, 5, 3}),
                keras_case("vector", "Activation", {{"activation", "sparse_sigmoid"}}, {20, 7})};
  return kind;
}

}  // namespace tieout::layers
