// Version 2 B-trees: the index of dense groups, attributes, large objects of a heap, and chunks
// (specification, III.A.2).
#pragma once

#include <functional>
#include <string>

#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

enum class Btree2 : std::uint8_t {
  large_objects = 1,  // that no filter packed, found by their number
  link_names = 5,
  attribute_names = 8,
  chunks = 10,
  filtered_chunks = 11
};

// Calls see(record) for each record, in any order, with a cursor over its bytes. Error(malformed) for damage.
void walk_btree2(Image& image, std::uint64_t header, Btree2 type, const std::string& path,
                 const std::function<void(Cursor& record)>& see);

}  // namespace tieout::hdf5
