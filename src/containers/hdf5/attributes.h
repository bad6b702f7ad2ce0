// Text attributes of HDF5 objects.
#pragma once

#include <string>
#include <vector>

#include "containers/hdf5/open_file.h"
#include "containers/hdf5/tree.h"

namespace tieout::hdf5 {

// Those attributes of `object` that hold text (see Attribute); `path` is the object's name for messages.
std::vector<Attribute> read_attributes(const OpenFile& file, hid_t object, const std::string& path);

}  // namespace tieout::hdf5
