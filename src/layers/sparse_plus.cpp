#include "layers/shared/elementwise.h"

// y = 0 up to -1, (x + 1)^2 / 4 up to 1, x above

namespace tieout::layers {

LayerKind sparse_plus() {
  Elementwise form;
  form.name = "sparse_plus";
  form.torch = exact({"torch.sparse_plus"});
  form.keras = exact({"activation:sparse_plus", "SparsePlus"});
  form.summary = "y = 0 up to -1, (x + 1)^2 / 4 up to 1, x above.";
  form.function = [](double x, const Json&) { return x <= -1 ? 0 : (x < 1 ? 0.25 * (x + 1) * (x + 1) : x); };
  form.write = [](Lowerer& lowerer) {
    if (lowerer.to_torch()) {
      lowerer.add("torch.sparse_plus", Json::object(),
                  "torch.where({0} < 1, 0.25 * ({0} + 1).clamp(min=0) ** 2, {0})");
    } else {
      lowerer.add("Activation", {{"activation", "sparse_plus"}});
    }
  };
  LayerKind kind = elementwise_kind(form);
  kind.cases = {keras_case("image", "Activation", {{"activation", "sparse_plus"}}, {2, 4, 5, 3}),
                keras_case("vector", "Activation", {{"activation", "sparse_plus"}}, {20, 7})};
  return kind;
}

}  // namespace tieout::layers
