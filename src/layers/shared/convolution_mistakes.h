// Known ways to carry a convolution wrongly.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

// Two axes of the kernel in each other's place.
Mistake swapped_axes_mistake(const std::string& name, const std::string& message, const std::string& first,
                             const std::string& second);
// The kernel turned round by 180 degrees, as Theano's convolution has it.
Mistake turned_kernel_mistake();

std::vector<Mistake> convolution_mistakes(std::size_t rank, bool depthwise);

}  // namespace tieout
