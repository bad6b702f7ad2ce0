// The first bytes of an HDF5 file (HDF5 File Format Specification 3.0, section II.A).
#pragma once

#include "base/byte_reader.h"
#include "containers/hdf5/read/cursor.h"

namespace tieout::hdf5 {

struct Superblock {
  std::uint64_t start = 0;  // where it stands: all addresses count from here
  std::uint64_t end = 0;    // of the HDF5 file, from the same byte as `start`
  Widths widths;
  std::uint64_t root = no_address;       // address of the root group's object header
  std::uint64_t extension = no_address;  // of another one that holds more about the file
};

// How a dataset is stored so that it can be read, and a file that is unusual as a whole: hints of refusals.
inline constexpr const char* store_plainly = "store it again plainly: h5repack -l CONTI -f NONE FILE NEW";
inline constexpr const char* copy_objects = "copy its groups and datasets into a new file with h5py";

// Whether the signature stands at 0, 512, 1024, 2048, ... (a user block may come first).
bool has_signature(Bytes bytes);

// Error(malformed) with the offset when there is no signature, the superblock is cut or its checksum wrong,
// the file is shorter than the end that it states itself, or its writer has not closed it. Error(unsupported)
// for a file that is one of several ("driver information").
Superblock read_superblock(Bytes bytes, const Where& where);

}  // namespace tieout::hdf5
