#include "containers/hdf5/root.h"

#include <algorithm>

#include "containers/hdf5/read/attributes.h"
#include "containers/hdf5/read/links.h"

namespace tieout::hdf5 {

std::vector<std::string> root_names(Bytes bytes) {
  std::vector<std::string> names;
  try {
    Image image(bytes, {});
    const ObjectHeader root = read_object_header(image, image.superblock().root, {});
    for (const Cursor& message : attribute_messages(image, root, {}))
      names.push_back(attribute_name(message));
    std::ranges::sort(names);
    std::vector<std::string> members;
    for (const Link& link : read_links(image, root, {})) members.push_back(link.name);
    std::ranges::sort(members);
    names.insert(names.end(), members.begin(), members.end());
  } catch (const Error&) {  // who reads the file will say what is wrong with it
  }
  return names;
}

}  // namespace tieout::hdf5
