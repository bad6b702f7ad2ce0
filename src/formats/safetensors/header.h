// The header of a safetensors file (https://github.com/huggingface/safetensors, README and src/tensor.rs).
//
//   u64 length, JSON of that length, elements
//   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
//   ...}
//
// Offsets count from the end of the header. The tensors tile the elements: no hole, no overlap, nothing
// behind.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "tensor/lazy_tensor.h"

namespace tieout::safetensors {

constexpr std::uint64_t largest_header = 100'000'000;  // as in the Rust library

struct Header {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<NamedTensor> tensors;  // in the order of the header; elements lie in the mapped file
};

// Error(malformed) for everything that the Rust library refuses; Error(unsupported) for element types that
// are in the format's list but not in tieout's.
Header read_header(const FileRef& file);

// "F32"; empty when the format has no name for the type.
std::string_view name_of(DType dtype);
// Types in the order in which the Rust library writes tensors: larger elements first, then this.
int write_rank(DType dtype);

}  // namespace tieout::safetensors
