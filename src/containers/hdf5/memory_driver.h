// Lets libhdf5 read a file that is memory: a mapped .h5, or the weights inside a mapped .keras archive.
//
// Why a driver of our own: the library's "core" driver copies the image, and its H5LT_FILE_IMAGE_DONT_COPY
// needs memory that it may reallocate. Weights of a gigabyte must not be copied only to be looked at.
#pragma once

#include "base/byte_reader.h"
#include "containers/hdf5/library.h"

namespace tieout::hdf5 {

// Opens `bytes` read-only; they must live as long as the handle. The handle is not ok() when libhdf5 refuses
// (see library_reason()).
Handle open_memory(Bytes bytes);

}  // namespace tieout::hdf5
