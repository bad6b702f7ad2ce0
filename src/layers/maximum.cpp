#include <algorithm>

#include "layers/shared/merge.h"

// y = the largest of a, b, ..., inputs of one rank.

namespace tieout::layers {

LayerKind maximum() {
  Merge form;
  form.name = "maximum";
  form.torch_function = "torch.maximum";
  form.keras_class = "Maximum";
  form.summary = "y = the largest of a, b, ..., inputs of one rank.";
  form.torch_call = prefix("torch.maximum");
  form.join = [](double left, double right) { return std::max(left, right); };
  return merge_kind(form);
}

}  // namespace tieout::layers
