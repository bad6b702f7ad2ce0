#include "layers/shared/merge.h"

// y = a - b, inputs of one rank.

namespace tieout::layers {

LayerKind subtract() {
  Merge form;
  form.name = "subtract";
  form.torch_function = "torch.sub";
  form.keras_class = "Subtract";
  form.summary = "y = a - b, inputs of one rank.";
  form.torch_call = infix("-");
  form.join = [](double left, double right) { return left - right; };
  form.only_two = true;
  return merge_kind(form);
}

}  // namespace tieout::layers
