// What the normalising kinds share: the mistakes that people make with their vectors and epsilon.
#pragma once

#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// torch.nn's and Keras' defaults of epsilon, for batch and layer normalisation alike.
constexpr double torch_epsilon = 1e-5;
constexpr double keras_epsilon = 1e-3;

// Adds gamma and beta (axis c) as far as the layer has them: PyTorch's affine, Keras' scale and center, or
// the tensors of a pickled module; otherwise 1 and 0.
void add_scale_and_center(Lifter& lifter, Layer& layer, std::int64_t channels, bool affine_by_default);
// Adds mean and variance, and PyTorch's count of training steps.
void add_running_statistics(Lifter& lifter, Layer& layer, std::int64_t channels);

// epsilon is the other framework's default.
Mistake epsilon_mistake();

// Two parameters of the same shape stand in each other's place.
Mistake swapped_mistake(const std::string& name, const std::string& message, const std::string& first,
                        const std::string& second);

}  // namespace tieout
