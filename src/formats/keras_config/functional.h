// The graph of a Functional configuration.
#pragma once

#include <vector>

#include "formats/keras_config/architecture.h"

namespace tieout::keras {

// Fills inputs, nodes and outputs of `model`: one node for each call, in an order in which every call comes
// after those it takes its inputs from, otherwise the file's. `entries` are the configuration's layers,
// `layers` what was read of them, in the same order.
void read_functional(const Json& config, const Json& entries, const std::vector<LayerEntry>& layers,
                     FrameworkModel& model, const Where& where);

}  // namespace tieout::keras
