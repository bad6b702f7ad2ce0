// Writing safetensors as the Rust library does: the same tensors and metadata give the same bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/output_file.h"
#include "tensor/payload.h"

namespace tieout::safetensors {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// Tensors in the library's order: by element type, then by name. Error(unsupported) for an element type that
// safetensors does not have (complex128).
void write_tensors(const std::vector<NamedTensor>& tensors, const Metadata& metadata, OutputFile& out,
                   const PayloadOptions& options = {});

}  // namespace tieout::safetensors
