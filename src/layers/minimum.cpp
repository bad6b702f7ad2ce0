#include <algorithm>

#include "layers/shared/merge.h"

// y = the smallest of a, b, ..., a size of 1 standing for any.

namespace tieout::layers {

LayerKind minimum() {
  Merge form;
  form.name = "minimum";
  form.torch_function = "torch.minimum";
  form.keras_layer = "Minimum";
  form.keras_operator = "Minimum";
  form.tensorflow = {"tf.math.minimum"};
  form.summary = "y = the smallest of a, b, ..., a size of 1 standing for any.";
  form.torch_call = prefix("torch.minimum");
  // torch.minimum takes tensors only.
  form.torch_constant = [](const std::string& input, const std::string& constant) {
    return input + ".clamp(max=" + constant + ")";
  };
  form.join = [](double left, double right) { return std::min(left, right); };
  form.only_two = false;
  return merge_kind(form);
}

}  // namespace tieout::layers
