// Reading .h5 files of the older layout.
#pragma once

#include "base/mapped_file.h"
#include "model/framework_model.h"

namespace tieout::keras {

// See Format::read. Full names of tensors are the datasets' paths without "model_weights/".
FrameworkModel read_h5(const FileRef& file);

}  // namespace tieout::keras
