#include "layers/shared/merge.h"

// y = a b ..., inputs of one rank.

namespace tieout::layers {

LayerKind multiply() {
  Merge form;
  form.name = "multiply";
  form.torch_function = "torch.mul";
  form.keras_class = "Multiply";
  form.summary = "y = a b ..., inputs of one rank.";
  form.torch_call = infix("*");
  form.join = [](double left, double right) { return left * right; };
  return merge_kind(form);
}

}  // namespace tieout::layers
