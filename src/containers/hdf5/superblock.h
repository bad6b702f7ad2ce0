// The first bytes of an HDF5 file (HDF5 File Format Specification 3.0, section II.A).
#pragma once

#include "base/byte_reader.h"

namespace tieout::hdf5 {

// Whether the signature stands at 0, 512, 1024, 2048, ... (a user block may come first).
bool has_signature(Bytes bytes);

// Checks what can be checked without libhdf5: Error(malformed) with the offset when there is no signature,
// the superblock is cut, or the file is shorter than the end that it states itself.
void check_superblock(Bytes bytes, const Where& where);

}  // namespace tieout::hdf5
