// Weights in another element type, because the user asked for it.
#pragma once

#include "model/finding.h"
#include "model/framework_model.h"

namespace tieout {

// Rounds every tensor of 16 to 64 bit floats to `to` when it is read (tensor/cast.h); others stay as they
// are. The notes say how many of which type, and what stays.
Findings retype(FrameworkModel& file, DType to);

}  // namespace tieout
