// Writing .keras archives.
#pragma once

#include "formats/format.h"

namespace tieout::keras {

// See Format::write. A model with a document keeps it; for any other the configuration is built from its
// nodes (formats/keras_config/build_config.h). Error(unsupported) without an architecture.
Outputs write_zip(const FrameworkModel& model, const std::string& path, const WriteOptions& options);

}  // namespace tieout::keras
