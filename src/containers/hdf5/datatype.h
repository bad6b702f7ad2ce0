// Element types of HDF5 datasets, as libhdf5 is told them.
#pragma once

#include "containers/hdf5/library.h"
#include "tensor/dtype.h"

namespace tieout::hdf5 {

// The type to create a dataset with. h5py's bool is an enum {FALSE, TRUE} of 8 bits.
Handle type_of(DType dtype);

// True for types that HDF5 does not know (bfloat16): they are stored as opaque bytes, and the dataset's
// attribute "dtype" tells which one it is (keras/src/saving/saving_lib.py, H5Entry).
bool is_opaque(DType dtype);

}  // namespace tieout::hdf5
