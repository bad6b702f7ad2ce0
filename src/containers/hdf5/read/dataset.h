// A dataset as a tensor that is read when asked for.
#pragma once

#include <string>

#include "base/mapped_file.h"
#include "containers/hdf5/read/element_type.h"
#include "tensor/lazy_tensor.h"

namespace tieout::hdf5 {

// Whether the object is a dataset, rather than a named type. Error(malformed) when it is only half of one.
bool is_dataset(const Image& image, const ObjectHeader& object, const std::string& path);

// `opaque_name`: the dataset's attribute "dtype". `owner` keeps the image's bytes alive. Refuses what
// read_tree (tree.h) says.
LazyTensor open_dataset(Image& image, ElementTypes& types, const FileRef& owner, const ObjectHeader& object,
                        const std::string& path, const std::string& opaque_name);

}  // namespace tieout::hdf5
