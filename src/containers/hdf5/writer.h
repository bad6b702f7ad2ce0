// Writing HDF5 files as h5py does for Keras: oldest format version, contiguous datasets, text attributes.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "containers/hdf5/library.h"
#include "tensor/lazy_tensor.h"

namespace tieout::hdf5 {

// Writes into the temporary file of `output`, which must outlive it; the caller commits. Paths are absolute
// without the first slash; groups on the way are made. Throws Error(io) when the disk is full.
class Writer {
 public:
  explicit Writer(const OutputFile& output);

  void group(const std::string& path);
  // The elements are read and written at once; only this one tensor is in memory.
  void dataset(const std::string& path, const LazyTensor& tensor);

  // An attribute of the group `path` (empty: the root): one string, or a list, which is split over NAME0,
  // NAME1, ... where HDF5's 64 KiB would be exceeded, as Keras does.
  void text(const std::string& path, const std::string& name, const std::string& value);
  void texts(const std::string& path, const std::string& name, const std::vector<std::string>& values);

  // Must be called: a destroyed Writer may have lost what was not written yet.
  void close();

 private:
  void check(bool ok, const std::string& what);
  void attribute(const std::string& path, const std::string& name, hid_t type, hid_t space, const void* data);
  void fixed_texts(const std::string& path, const std::string& name, const std::string* first,
                   std::size_t count);

  std::string shown_;  // the name for messages
  Handle file_;
  Handle with_parents_;
  std::set<std::string> groups_;
};

}  // namespace tieout::hdf5
