// Reading .h5 files of the older layout.
#pragma once

#include "formats/format.h"

namespace tieout::keras {

// See Format::read. Full names of tensors are the datasets' paths without "model_weights/".
FrameworkModel read_h5(const FileRef& file, const ReadOptions& options);

}  // namespace tieout::keras
