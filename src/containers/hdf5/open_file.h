// An HDF5 file that is open, and what its readers share.
#pragma once

#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "containers/hdf5/library.h"
#include "tensor/lazy_tensor.h"

namespace tieout::hdf5 {

struct OpenFile {
  FileRef file;  // keeps `bytes` alive
  Bytes bytes;   // the HDF5 file: all of `file` or a part of it
  std::string entry;
  Handle handle;

  // Where an object is, for messages: the part's name when there is one, otherwise the path inside the file.
  [[nodiscard]] Where where(const std::string& path) const;
  // Error(malformed): "cannot read the group: <libhdf5's reason>".
  [[nodiscard]] Error damaged(const std::string& what, const std::string& path) const;
};

// The dataset as a tensor that is read when asked for; `path` is its name for messages.
LazyTensor open_tensor(const std::shared_ptr<const OpenFile>& file, hid_t dataset, const std::string& path,
                       const std::string& opaque_name);

}  // namespace tieout::hdf5
