// An HDF5 file as a tree of groups and datasets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "tensor/lazy_tensor.h"

namespace tieout::hdf5 {

// An attribute that holds text: one string or an array of them, in any of HDF5's string types. An empty array
// of any type counts as an array of no strings (so h5py stores one). Other attributes are not read.
struct Attribute {
  std::string name;
  std::vector<std::string> texts;
};

struct Dataset {
  std::string name;
  LazyTensor tensor;
};

// Children stand in the order in which they were made (by the address of their headers): HDF5 itself sorts
// names as text, "10" before "2", and keeps no order. Members "0", "1", ... are in the order of their
// numbers.
struct Group {
  std::string name;
  std::string path;  // "layers/conv2d"; empty for the root
  std::vector<Attribute> attributes;
  std::vector<Group> groups;
  std::vector<Dataset> datasets;

  // By path relative to this group; nullptr when there is none.
  [[nodiscard]] const Group* find_group(std::string_view relative) const;
  [[nodiscard]] const Dataset* find_dataset(std::string_view relative) const;

  // The attribute's one string.
  [[nodiscard]] std::optional<std::string> text(std::string_view attribute) const;
  // The attribute's strings; also those that Keras split over "NAME0", "NAME1", ... because HDF5 allows an
  // attribute 64 KiB only.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view attribute) const;
};

// Reads everything but the elements of the tensors, with a reader of our own (read/; HDF5 File Format
// Specification 3.0): libhdf5 crashes on damaged files. `bytes` is the HDF5 file, all of `file` or a part of
// it: then `entry` names the part. Contiguous and compact datasets are views of the mapped file; others are
// read when asked for. A dataset that has two names is two of the same; elements that were never written have
// the fill value.
//
// Error(malformed) for damage, also for checksums that are wrong, and for datasets larger than what is stored
// can give. Error(unsupported) for links that leave the file or may dangle (soft, external), external and
// virtual datasets, element types that no tensor has, filters other than deflate, shuffle and fletcher32, and
// a few features that weights do not have (heaps of shared messages, several files, an image of the metadata
// cache).
Group read_tree(const FileRef& file, Bytes bytes, const std::string& entry);

}  // namespace tieout::hdf5
