// Where a dataset's elements are (data layout messages; specification, IV.A.2.i).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "containers/hdf5/read/object_header.h"

namespace tieout::hdf5 {

// In the message itself.
struct CompactLayout {
  Bytes elements;
};

// In one piece; no_address when none was ever written.
struct ContiguousLayout {
  std::uint64_t address = no_address;
  std::uint64_t size = 0;
};

enum class ChunkIndex { btree1, single, implicit, fixed_array, extensible_array, btree2 };

// In blocks of one shape; no_address when none was ever written.
struct ChunkedLayout {
  ChunkIndex index = ChunkIndex::btree1;
  std::uint64_t address = no_address;  // of the index; of the chunk where there is only one
  std::vector<std::uint64_t> chunk;    // elements along each axis, at least 1
  std::uint64_t element_size = 0;
  bool single_is_filtered = false;  // then the next two count, for ChunkIndex::single
  std::uint64_t single_size = 0;    // bytes in the file
  std::uint32_t single_mask = 0;    // filters that were left out
};

using Layout = std::variant<CompactLayout, ContiguousLayout, ChunkedLayout>;

// Error(malformed) for damage; Error(unsupported) for virtual datasets, and for the layout messages of HDF5
// before 1.6.3 and after 1.14.
Layout read_layout(const Image& image, const Message& message, const std::string& path);

}  // namespace tieout::hdf5
