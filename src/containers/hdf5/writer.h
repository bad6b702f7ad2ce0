// Writing HDF5 files as h5py does for Keras: oldest format version, contiguous datasets, text attributes.
//
// libhdf5 lays the file out, in memory; the elements never pass it. They are written straight to their places
// in whatever the file becomes part of: a .h5, or a record of a .keras archive.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "containers/hdf5/library.h"
#include "containers/hdf5/recording_driver.h"
#include "tensor/payload.h"

namespace tieout::hdf5 {

// Paths are absolute without the first slash; groups on the way are made.
class Writer {
 public:
  // `name` is the file's, for messages.
  explicit Writer(std::string name);

  void group(const std::string& path);
  // Only its place is laid out now; the tensor is read when the payload is written.
  void dataset(const std::string& path, const LazyTensor& tensor);

  // An attribute of the group `path` (empty: the root): one string, or a list, which is split over NAME0,
  // NAME1, ... where HDF5's 64 KiB would be exceeded, as Keras does.
  void text(const std::string& path, const std::string& name, const std::string& value);
  void texts(const std::string& path, const std::string& name, const std::vector<std::string>& values);

  // The whole file. Nothing can be added afterwards.
  Payload finish();

 private:
  void check(bool ok, const std::string& what);
  void attribute(const std::string& path, const std::string& name, hid_t type, hid_t space, const void* data);
  void fixed_texts(const std::string& path, const std::string& name, const std::string* first,
                   std::size_t count);

  std::string name_;
  Recording recording_;
  std::vector<Payload::Placed> tensors_;
  Handle file_;
  Handle with_parents_;
  std::set<std::string> groups_;
};

}  // namespace tieout::hdf5
