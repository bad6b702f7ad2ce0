// Writing tensor bundles (see bundle_reader.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "tensor/payload.h"

namespace tieout::tensor_bundle {

// A data file and what goes into it.
struct Shard {
  OutputFile& data;
  std::span<const NamedTensor> tensors;
};

// Writes the elements of the tensors, the `texts`, string scalars, into the first data file, and where they
// all lie into `index`. There must be a data file, and all files must be empty. Names must differ;
// Error(unsupported) for a type that TensorFlow does not have.
void write_bundle(const std::vector<Shard>& shards, const std::map<std::string, std::string>& texts,
                  OutputFile& index, const PayloadOptions& options);

}  // namespace tieout::tensor_bundle
