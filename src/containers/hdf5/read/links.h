// The members of a group, however it keeps them.
#pragma once

#include <string>
#include <vector>

#include "containers/hdf5/read/object_header.h"

namespace tieout::hdf5 {

enum class LinkKind { hard, soft, elsewhere };

struct Link {
  std::string name;
  LinkKind kind = LinkKind::hard;
  std::uint64_t address = no_address;  // of the object's header, for a hard link
};

// Whether the object is a group.
bool is_group(const ObjectHeader& object);

// The links of the group: in a symbol table (version 1 B-tree, local heap), in the header, or in a fractal
// heap. In any order; each name once.
std::vector<Link> read_links(Image& image, const ObjectHeader& group, const std::string& path);

}  // namespace tieout::hdf5
