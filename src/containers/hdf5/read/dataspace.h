// The shape of a dataset or an attribute (specification, IV.A.2.b).
#pragma once

#include <cstdint>
#include <vector>

#include "containers/hdf5/read/cursor.h"

namespace tieout::hdf5 {

struct Dataspace {
  bool null = false;                 // no elements and no shape: h5py.Empty
  std::vector<std::uint64_t> sizes;  // of the axes, at most 32; none for a scalar
  std::vector<std::uint64_t> most;   // what they may grow to, no_address for any size
};

Dataspace read_dataspace(Cursor& body);

// Error(malformed) when the product leaves 64 bits.
std::uint64_t element_count(const Dataspace& space, const Cursor& at);

}  // namespace tieout::hdf5
