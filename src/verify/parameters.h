// The parameters of two layers that correspond, side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "verify/interpreter.h"

namespace tieout {

// `array` lies in the canonical order of `parameter` in layer `from`; the result in that of the parameter of
// the same name in layer `to`. They differ where an axis runs along a flattened image: (c h w) in one
// framework, (h w c) in the other. Nothing when the sizes or the axes do not correspond.
std::optional<Array> carried_parameter(const Array& array, const Parameter& parameter,
                                       const Model& from_model, const Layer& from, const Parameter& target,
                                       const Model& to_model, const Layer& to);

struct ParameterDifference {
  std::string name;
  double max_abs = 0;
  double magnitude = 0;
  bool comparable = true;  // false: sizes that differ
};

// Each parameter that both layers have and that differs by more than `relative` of its magnitude.
std::vector<ParameterDifference> differing_parameters(const Model& a, const FrameworkModel& file_a,
                                                      const Layer& left, const Model& b,
                                                      const FrameworkModel& file_b, const Layer& right,
                                                      double relative);

}  // namespace tieout
