// From a framework's words to layers.
#pragma once

#include <map>
#include <string>

#include "model/model.h"

namespace tieout {

// Shapes of the model's inputs without the batch, in the model's own layout, by input name; the empty name is
// the only input's. Given by the user where the file does not say.
using InputShapes = std::map<std::string, Shape>;

// Lifts every node. What cannot be carried is a finding of the result (Severity::forbids), one for each
// layer; tensors that no layer knows are findings too. `source` gets the names and paths of Keras variables
// filled in. Error(usage) when a shape names no input or does not fit; Error(malformed) when settings
// contradict the tensors.
//
// A file without architecture gives layers without values for the groups of tensors that some kind
// recognises.
Model lift(FrameworkModel& source, const InputShapes& shapes = {});

// Lifts one node that the lowering has just appended to `source`; `values` are its inputs in `model`. Returns
// its outputs. Throws Refusal.
std::vector<int> lift_fresh(Model& model, FrameworkModel& source, int node, const std::vector<int>& values);

}  // namespace tieout
