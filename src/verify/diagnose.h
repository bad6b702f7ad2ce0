// Where two models first differ, and why.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "convert/match.h"
#include "model/model.h"
#include "verify/interpreter.h"

namespace tieout {

// One side of a comparison as the interpreter sees it.
struct DiagnosedSide {
  const Model& model;
  const FrameworkModel& file;
  ParameterSource parameters = {};  // instead of the file's
};

struct Diagnosis {
  std::string a;  // the layer with the cause, in both models
  std::string b;
  std::string cause;  // the mistake's name, the setting's, the parameter's; empty when none explains it
  std::string message;
};

// Runs both sides in the interpreter on the same inputs (each in its own layout) and looks at the first pair
// of matched values that differs. Of the layers between it and the last pair that ties out, each one is
// tried, those with a partner first: with the partner's settings, and with every known mistake of its kind;
// then those in front of them. Before all that, another order of branches is looked for. The variant under
// which the pair ties out is the cause. Where none is, the parameters of the partners are compared. Nothing
// when no pair differs. `relative`: tolerances for each value of A (verify/tolerance.h). `on_compared` is
// called for each pair that is looked at.
std::optional<Diagnosis> diagnose(const DiagnosedSide& a, const std::vector<Array>& inputs_a,
                                  const DiagnosedSide& b, const std::vector<Array>& inputs_b,
                                  const Matching& matching, const std::vector<double>& relative,
                                  const std::function<void()>& on_compared);

}  // namespace tieout
