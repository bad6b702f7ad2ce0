// The order in which Keras lists the layers of a model that it builds from a configuration.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::keras {

// Indices into model.nodes, the first call of each layer, in the order of model.layers; operations are left
// out, InputLayers too. Keras sorts by depth (distance from the outputs) and, within one depth, by the order
// in which a walk from the outputs meets the layers (keras/src/ops/function.py, map_graph). Nodes that no
// output needs are left out: Keras drops them.
std::vector<std::size_t> layer_order(const FrameworkModel& model);

// The places that the first calls of layers and operations have in model.operations, which is in the same
// order and lists InputLayers too. Keras makes its Sequential of one such model.
std::map<std::size_t, std::size_t> operation_places(const FrameworkModel& model);

}  // namespace tieout::keras
