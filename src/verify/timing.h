// How fast the interpreter is.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model.h"
#include "tensor/array.h"

namespace tieout {

struct Timing {
  double seconds = 0;             // of one forward pass, the median
  std::uint64_t weights = 0;      // bytes of all parameters, in float64
  std::uint64_t most_values = 0;  // bytes of the values alive at one time, at most
};

// Runs the model `repeats` times with its parameters in memory. Reading them does not count.
Timing time_forward(const Model& model, const FrameworkModel& file, const std::vector<Array>& inputs,
                    int repeats, bool plain);

}  // namespace tieout
