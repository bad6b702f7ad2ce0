#include "layers/shared/merge.h"

// y = a + b + ..., a size of 1 standing for any.

namespace tieout::layers {

LayerKind add() {
  Merge form;
  form.name = "add";
  form.torch_function = "torch.add";
  form.keras_layer = "Add";
  form.keras_operator = "Add";
  form.tensorflow = {"tf.math.add", "tf.__operators__.add"};
  form.summary = "y = a + b + ..., a size of 1 standing for any.";
  form.torch_call = infix("+");
  form.join = [](double left, double right) { return left + right; };
  form.only_two = false;
  return merge_kind(form);
}

}  // namespace tieout::layers
