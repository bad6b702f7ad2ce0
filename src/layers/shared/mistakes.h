// Mistakes that many kinds know.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// These parameters were not carried: they hold what a new layer has, the number beside each name.
Mistake forgotten_mistake(const std::string& name, const std::string& message,
                          const std::vector<std::pair<std::string, double>>& parameters);

// The inputs, or the setting "operands" where there are constants among them, in the reverse order.
Mistake reversed_inputs_mistake(const std::string& message);

}  // namespace tieout
