#include "layers/shared/merge.h"

// y = (a + b + ...) / number of inputs, inputs of one rank.

namespace tieout::layers {

LayerKind average() {
  Merge form;
  form.name = "average";
  form.torch_function = "torch.mean";
  form.keras_class = "Average";
  form.summary = "y = (a + b + ...) / number of inputs, inputs of one rank.";
  form.torch_call = infix("+");
  form.join = [](double left, double right) { return left + right; };
  form.is_mean = true;
  return merge_kind(form);
}

}  // namespace tieout::layers
