// Element types of HDF5 datasets.
#pragma once

#include <optional>

#include "containers/hdf5/library.h"
#include "tensor/dtype.h"

namespace tieout::hdf5 {

struct StoredType {
  DType dtype = DType::f32;
  bool as_in_memory = false;  // the bytes in the file are little-endian elements of `dtype` already
};

// The meaning of a dataset's type; nothing for what no tensor has. h5py's bool is an enum {FALSE, TRUE} of 8
// bits. Types that HDF5 does not know (bfloat16) are stored as opaque bytes, and `opaque_name`, the dataset's
// attribute "dtype", tells which one (keras/src/saving/saving_lib.py, H5Entry).
std::optional<StoredType> dtype_of(hid_t type, const std::string& opaque_name);

// The type to create a dataset with, and to read it as.
Handle type_of(DType dtype);

// True for types that are stored as opaque bytes and need the attribute "dtype".
bool is_opaque(DType dtype);

}  // namespace tieout::hdf5
