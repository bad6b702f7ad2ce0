#include "layers/shared/normalisation.h"

#include <algorithm>
#include <utility>

#include "layers/shared/elementwise.h"

namespace tieout {

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
