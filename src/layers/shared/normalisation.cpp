#include "layers/shared/normalisation.h"

#include <algorithm>
#include <utility>

#include "layers/shared/elementwise.h"

namespace tieout {

void add_scale_and_center(Lifter& lifter, Layer& layer, std::int64_t channels, bool affine_by_default) {
  const auto& given = lifter.settings();
  const bool torch = lifter.is_torch();
  bool scale = torch ? given.flag("affine", affine_by_default) : given.flag("scale", true);
  bool center = torch ? scale : given.flag("center", true);
  // A pickled module shows what is missing by the missing tensors.
  if (torch && !lifter.node().parameters.empty()) {
    scale = lifter.has_variable("weight");
    center = lifter.has_variable("bias");
  }
  const AxisSizes sizes{{"c", channels}};
  const auto add = [&](const std::string& name, bool stored, const std::string& torch_name,
                       double otherwise) {
    layer.parameters.push_back(
        stored ? lifter.parameter(name, "c", {lifter.term(torch ? torch_name : name, "c")}, sizes, "c")
               : lifter.constant(name, "c", sizes, otherwise));
  };
  add("gamma", scale, "weight", 1);
  add("beta", center, "bias", 0);
}

void add_running_statistics(Lifter& lifter, Layer& layer, std::int64_t channels) {
  const bool torch = lifter.is_torch();
  const bool fresh = std::ranges::none_of(lifter.node().parameters, [](const NodeParameter& parameter) {
    return parameter.name.starts_with("running_") || parameter.name.starts_with("moving_");
  });
  const AxisSizes sizes{{"c", channels}};
  const auto add = [&](const std::string& name, const std::string& torch_name,
                       const std::string& keras_name) {
    layer.parameters.push_back(
        lifter.parameter(name, "c", {lifter.term(torch ? torch_name : keras_name, "c")}, sizes, "c"));
  };
  add("mean", "running_mean", "moving_mean");
  add("variance", "running_var", "moving_variance");
  // Files of before PyTorch 0.4.1 have none.
  if (torch && (fresh || lifter.has_variable("num_batches_tracked"))) {
    Parameter steps = lifter.parameter("num_batches_tracked", "", {lifter.term("num_batches_tracked", "")});
    steps.bookkeeping = true;
    steps.dtype = DType::i64;
    layer.parameters.push_back(std::move(steps));
  }
}

Mistake epsilon_mistake() {
  return wrong_setting("epsilon", "epsilon is the other framework's default (PyTorch 1e-5, Keras 1e-3)",
                       "epsilon", keras_epsilon, torch_epsilon);
}

Mistake swapped_mistake(const std::string& name, const std::string& message, const std::string& first,
                        const std::string& second) {
  const auto mutate = [=](Layer& layer, Framework, const std::vector<Axes>&) {
    const auto a = std::ranges::find(layer.parameters, first, &Parameter::name);
    const auto b = std::ranges::find(layer.parameters, second, &Parameter::name);
    if (a == layer.parameters.end() || b == layer.parameters.end() || a->terms.empty() || b->terms.empty())
      return false;
    std::swap(a->terms, b->terms);
    return true;
  };
  return {name, message, mutate};
}

}  // namespace tieout
