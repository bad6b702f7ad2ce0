#include <algorithm>

#include "layers/shared/merge.h"

// y = the largest of a, b, ..., a size of 1 standing for any.

namespace tieout::layers {

LayerKind maximum() {
  Merge form;
  form.name = "maximum";
  form.torch_function = "torch.maximum";
  form.keras_layer = "Maximum";
  form.keras_operator = "Maximum";
  form.tensorflow = {"tf.math.maximum"};
  form.summary = "y = the largest of a, b, ..., a size of 1 standing for any.";
  form.torch_call = prefix("torch.maximum");
  // torch.maximum takes tensors only.
  form.torch_constant = [](const std::string& input, const std::string& constant) {
    return input + ".clamp(min=" + constant + ")";
  };
  form.join = [](double left, double right) { return std::max(left, right); };
  form.only_two = false;
  return merge_kind(form);
}

}  // namespace tieout::layers
