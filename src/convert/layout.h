// Channels-first <-> channels-last: the only rule that crosses layers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "layers/record/lowerer.h"
#include "model/model.h"

namespace tieout {

// The axis order, by name, that the layer needs for its input k in the target; empty: any will do.
std::vector<std::string> needed_layout(const Model& source, const Layer& layer, std::size_t k,
                                       Framework target, const std::set<int>& ordered);

// The axis order of a model input in the target: what its first demanding consumer needs, so that no permute
// is added there; empty when nobody demands one.
std::vector<std::string> input_layout(const Model& source, int value, Framework target);

// Layers that flatten and whose features may not change their order, since something after them (the model's
// output, a recurrent layer) cannot have its own parameters reordered instead.
std::set<int> order_keeping_layers(const Model& source);

// The permutation that brings axes into the named order; empty when they are in it already.
std::vector<int> permutation(const Axes& axes, const std::vector<std::string>& names);

}  // namespace tieout
