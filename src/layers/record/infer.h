// The axes that a layer's outputs have.
#pragma once

#include <vector>

#include "model/model.h"

namespace tieout {

// Axes in a kind's canonical order from those in the framework's, and back; see Layer::orders.
Axes to_canonical(const Axes& axes, const std::vector<int>& order);
Axes from_canonical(const Axes& canonical, const std::vector<int>& order);

// Of each output, in canonical order. `inputs` in the framework's order. Throws what the kind's infer throws
// where they do not fit the layer.
std::vector<Axes> canonical_outputs(const Layer& layer, const std::vector<Axes>& inputs);

// The same in the framework's order, for a layer that a lifter has added, or a variant of it.
std::vector<Axes> output_axes(const Layer& layer, const std::vector<Axes>& inputs);

}  // namespace tieout
