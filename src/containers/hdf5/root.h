// A first look into an HDF5 file.
#pragma once

#include <string>
#include <vector>

#include "base/byte_reader.h"

namespace tieout::hdf5 {

// The names of the root's attributes, then of its members. Never throws on damage: nothing is named then.
std::vector<std::string> root_names(Bytes bytes);

}  // namespace tieout::hdf5
