// TensorFlow's tensor bundles: PREFIX.index, a table of names, and PREFIX.data-SSSSS-of-NNNNN, the elements
// one tensor after another, little-endian, not aligned (tensorflow/core/util/tensor_bundle/tensor_bundle.cc).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "containers/tensor_bundle/entry.h"
#include "tensor/lazy_tensor.h"

namespace tieout::tensor_bundle {

constexpr std::string_view index_suffix = ".index";

class BundleReader {
 public:
  // Reads and checks the index, opens the data files and compares what they have to have; no elements. `path`
  // is the index's, "m.ckpt.index", and tells where the data files lie; `elsewhere` has those that lie
  // somewhere else, by their names. Error(io) when one is missing.
  BundleReader(const FileRef& index, const std::string& path,
               const std::map<std::string, std::string>& elsewhere);

  // In the order of the index, which sorts names as text. A tensor's checksum is compared before its elements
  // are given out for the first time. Tensors that were cut, to spread them over files, are joined;
  // Error(unsupported) for those that were cut along several axes.
  [[nodiscard]] const std::vector<NamedTensor>& tensors() const { return tensors_; }
  // Names of what no tensor of a model is: strings, variants.
  [[nodiscard]] const std::vector<std::string>& others() const { return others_; }
  // The elements of a tensor of strings, its checksum compared; nothing when there is none of that name. They
  // are valid as long as the reader.
  [[nodiscard]] std::optional<std::vector<std::string_view>> strings(const std::string& name) const;

 private:
  [[nodiscard]] Where where(const std::string& name) const;
  void open_files(const std::string& path, const std::map<std::string, std::string>& elsewhere);
  void check_places() const;
  void add(const std::string& name, const BundleEntry& entry);
  [[nodiscard]] LazyTensor whole(const std::string& name, const BundleEntry& entry, DType dtype) const;
  [[nodiscard]] LazyTensor joined(const std::string& name, const BundleEntry& entry, DType dtype) const;

  std::string file_;
  std::uint64_t shards_ = 0;
  std::map<std::string, BundleEntry> entries_;  // slices under their keys
  std::map<std::uint64_t, FileRef> files_;      // by number
  std::vector<NamedTensor> tensors_;
  std::vector<std::string> others_;
};

// "dir/m.ckpt.index", 0, 2 -> "dir/m.ckpt.data-00000-of-00002"
std::string data_path(const std::string& index_path, std::uint64_t shard, std::uint64_t shards);

}  // namespace tieout::tensor_bundle
