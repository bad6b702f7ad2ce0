// The format of PyTorch before 1.6, and of torch.save(_use_new_zipfile_serialization=False) since
// (torch/serialization.py, _legacy_save): pickles one after another, then the storages, unaligned.
//
//   0x1950a86a20f9469cfc6c   the magic number
//   1001                     the protocol version
//   {"little_endian": True, "protocol_version": 1001, "type_sizes": {...}}
//   the object; tensors in it refer to storages by key
//   [KEY, ...]               the storages' keys, in the order in which they follow
//   i64 element count, elements; for each key
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "formats/torch_pt/storages.h"

namespace tieout::torch_pt {

// Whether the file begins as a pickle does, and no archive around it.
bool is_bare_pickle(Bytes file);

// Whether the file is the tar archive that PyTorch wrote before 0.1.10 (members "storages", "tensors",
// "pickle").
bool is_tar_container(Bytes file);

class LegacyFile final : public Storages {
 public:
  // Reads the pickles and finds the storages; nothing of their elements is read. Error(malformed) when the
  // file is damaged or another sort of pickle; Error(unsupported) when its numbers are big-endian, which
  // PyTorch does not look at: it would give other numbers.
  explicit LegacyFile(const FileRef& file);

  [[nodiscard]] const PickleTree& object() const { return object_; }
  std::shared_ptr<const Storage> storage(const std::string& key) override;
  [[nodiscard]] std::size_t id_size() const override { return 6; }

 private:
  void read_storages(ByteReader& reader, const FileRef& file, const PickleNode& keys);

  std::string path_;
  PickleTree object_;
  std::map<std::string, std::shared_ptr<const Storage>> storages_;
};

}  // namespace tieout::torch_pt
