// Writing tensor bundles of one data file (see bundle_reader.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "tensor/payload.h"

namespace tieout::tensor_bundle {

// Writes the elements of `tensors` and the `texts`, string scalars, into `data`, and where they lie into
// `index`, both of which must be empty. Names must differ; Error(unsupported) for a type that TensorFlow does
// not have.
void write_bundle(const std::vector<NamedTensor>& tensors, const std::map<std::string, std::string>& texts,
                  OutputFile& index, OutputFile& data, const PayloadOptions& options);

}  // namespace tieout::tensor_bundle
