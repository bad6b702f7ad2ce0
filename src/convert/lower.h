// From layers to the other framework's words.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"

namespace tieout {

// A model in the target's words, and the same lifted again.
struct Lowering {
  FrameworkModel target;  // nodes with settings and parameter names; no tensors yet (the plan makes them)
  Model model;            // of `target`
  std::vector<std::vector<int>> nodes;  // for each layer of the source: its nodes in `target`
  Findings findings;                    // refusals, one for each layer
};

// Lowers every layer; adds a permute only where the layouts of two neighbours differ. Error(usage) when an
// input's shape is not known, with --input-shape as the way out.
Lowering lower(const Model& source, Framework target);

// A name that `target` accepts for a layer, and unique in it: PyTorch wants Python identifiers, Keras no
// slashes.
std::string layer_name(Framework target, const std::string& name);

}  // namespace tieout
