// Keras' dtype policies: layers that compute in half precision, whatever the type of their weights.
#pragma once

#include "model/finding.h"
#include "model/framework_model.h"

namespace tieout {

// A note for each policy of half precision that layers of the model have.
Findings note_half_precision(const FrameworkModel& model);

}  // namespace tieout
