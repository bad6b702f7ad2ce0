#include "layers/shared/merge.h"

// y = a - b, a size of 1 standing for any.

namespace tieout::layers {

LayerKind subtract() {
  Merge form;
  form.name = "subtract";
  form.torch_function = "torch.sub";
  form.keras_layer = "Subtract";
  form.keras_operator = "Subtract";
  form.tensorflow = {"tf.math.subtract"};
  form.summary = "y = a - b, a size of 1 standing for any.";
  form.torch_call = infix("-");
  form.join = [](double left, double right) { return left - right; };
  form.only_two = true;
  return merge_kind(form);
}

}  // namespace tieout::layers
