// Version 1 B-trees: the index of old groups and of old chunked datasets (specification, III.A.1).
#pragma once

#include <functional>
#include <string>

#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

enum class Btree1 : std::uint8_t { group = 0, chunks = 1 };

// Calls see(key, child) for each entry of the leaves, in any order: a cursor over the `key_size` bytes of the
// key left of the child, and the child's address. Error(malformed) for damage.
void walk_btree1(Image& image, std::uint64_t root, Btree1 type, std::uint64_t key_size,
                 const std::string& path, const std::function<void(Cursor& key, std::uint64_t child)>& see);

}  // namespace tieout::hdf5
