// Other parameters for two models, the same on both sides.
#pragma once

#include <cstdint>

#include "convert/match.h"
#include "model/model.h"
#include "verify/interpreter.h"

namespace tieout {

struct Perturbed {
  ParameterOverrides a;
  ParameterOverrides b;
};

// Model A's parameters, each multiplied by 1 + 0.5 u and moved by up to 0.1 (u uniform in [0, 1)), and the
// same in the layers of B that correspond. What is nowhere negative (a variance, a scale) stays so. A model's
// own parameters hide mistakes: a bias of zeros, a scale of ones. Parameters that one side does not store
// keep their constant on both.
Perturbed perturb(const Model& a, const FrameworkModel& file_a, const Model& b, const FrameworkModel& file_b,
                  const Matching& matching, std::uint64_t seed);

}  // namespace tieout
