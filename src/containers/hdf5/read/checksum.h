// The two checksums of HDF5 files.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"

namespace tieout::hdf5 {

// Of metadata: Bob Jenkins' lookup3 ("hashlittle") with the initial value 0, as section III of the HDF5 File
// Format Specification 3.0 asks for.
std::uint32_t lookup3(Bytes bytes);

// Of a chunk that went through the filter fletcher32: words of 16 bits, high byte first; an odd last byte is
// the high byte of a word. Sums are folded, so that 65535 stays what it is (H5_checksum_fletcher32).
std::uint32_t fletcher32(Bytes bytes);

}  // namespace tieout::hdf5
