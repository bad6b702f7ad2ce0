#include "layers/shared/merge.h"

// y = a + b + ..., inputs of one rank.

namespace tieout::layers {

LayerKind add() {
  Merge form;
  form.name = "add";
  form.torch_function = "torch.add";
  form.keras_class = "Add";
  form.summary = "y = a + b + ..., inputs of one rank.";
  form.torch_call = infix("+");
  form.join = [](double left, double right) { return left + right; };
  return merge_kind(form);
}

}  // namespace tieout::layers
