#include "layers/shared/merge.h"
#include "layers/shared/mistakes.h"

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
  LayerKind kind = merge_kind(form);
  kind.mistakes = {reversed_inputs_mistake("b - a is computed instead of a - b")};
  return kind;
}

}  // namespace tieout::layers
