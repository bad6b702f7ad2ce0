// Groups as HDF5 has always written them: a version 1 B-tree of symbol table nodes, and a local heap of names
// (specification, III.B to III.D).
#pragma once

#include "containers/hdf5/read/links.h"

namespace tieout::hdf5 {

// `message` is the group's symbol table message.
std::vector<Link> read_symbol_table(Image& image, const Message& message, const std::string& path);

}  // namespace tieout::hdf5
