// Thrown by a layer kind for what it cannot carry exactly; lift and lower turn it into a finding and go on,
// so that all refusals are reported at once.
#pragma once

#include <string>
#include <utility>

namespace tieout {

struct Refusal {
  std::string reason;   // "padding_mode 'circular' has no Keras layer"
  std::string way_out;  // "pad the input yourself before the layer"
};

}  // namespace tieout
