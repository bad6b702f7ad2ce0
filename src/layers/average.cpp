#include "layers/shared/merge.h"

// y = (a + b + ...) / number of inputs, a size of 1 standing for any.

namespace tieout::layers {

LayerKind average() {
  Merge form;
  form.name = "average";
  form.torch_function = "torch.average";
  form.keras_layer = "Average";
  form.summary = "y = (a + b + ...) / number of inputs, a size of 1 standing for any.";
  form.torch_call = infix("+");
  form.join = [](double left, double right) { return left + right; };
  form.is_mean = true;
  form.only_two = false;
  LayerKind kind = merge_kind(form);
  kind.keras.push_back({"ops.Average", Status::refused,
                        "it averages along axes, with weights; use ops.mean, or a product and ops.sum"});
  return kind;
}

}  // namespace tieout::layers
