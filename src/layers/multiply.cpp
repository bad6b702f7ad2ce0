#include "layers/shared/merge.h"

// y = a b ..., a size of 1 standing for any.

namespace tieout::layers {

LayerKind multiply() {
  Merge form;
  form.name = "multiply";
  form.torch_function = "torch.mul";
  form.keras_layer = "Multiply";
  form.keras_operator = "Multiply";
  form.tensorflow = {"tf.math.multiply"};
  form.summary = "y = a b ..., a size of 1 standing for any.";
  form.torch_call = infix("*");
  form.join = [](double left, double right) { return left * right; };
  form.only_two = false;
  return merge_kind(form);
}

}  // namespace tieout::layers
