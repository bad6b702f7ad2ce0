// Writing .h5 files of the older layout.
#pragma once

#include "formats/format.h"

namespace tieout::keras {

// See Format::write. A model that was read from a .h5 keeps its document and the names of its weights; for
// any other they follow from its nodes. A model without architecture becomes a file of weights only.
// Error(unsupported) for bfloat16: Keras cannot load it from this layout.
Outputs write_h5(const FrameworkModel& model, const std::string& path, const WriteOptions& options);

}  // namespace tieout::keras
