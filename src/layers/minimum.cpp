#include <algorithm>

#include "layers/shared/merge.h"

// y = the smallest of a, b, ..., inputs of one rank.

namespace tieout::layers {

LayerKind minimum() {
  Merge form;
  form.name = "minimum";
  form.torch_function = "torch.minimum";
  form.keras_class = "Minimum";
  form.summary = "y = the smallest of a, b, ..., inputs of one rank.";
  form.torch_call = prefix("torch.minimum");
  form.join = [](double left, double right) { return std::min(left, right); };
  return merge_kind(form);
}

}  // namespace tieout::layers
