// The zip archive that torch.save writes since PyTorch 1.6 (torch/serialization.py, caffe2/serialize).
//
//   NAME/data.pkl     the object; tensors in it refer to storages by key
//   NAME/byteorder    "little" or "big"; absent before 2.1: little
//   NAME/data/KEY     a storage, stored, raw elements
//   NAME/version      "3"
//   NAME/tieout/model.json   tieout's own, which PyTorch does not look at: the architecture
#pragma once

#include <map>
#include <memory>
#include <string>

#include "containers/zip/zip_reader.h"
#include "formats/torch_pt/storages.h"

namespace tieout::torch_pt {

constexpr std::string_view pickle_record = "data.pkl";
constexpr std::string_view architecture_record = "tieout/model.json";

class Archive final : public Storages {
 public:
  explicit Archive(FileRef file);

  [[nodiscard]] const std::string& file() const { return zip_->file()->path(); }
  [[nodiscard]] bool has(std::string_view record) const { return find(record) != nullptr; }
  // The payload of a record, without the prefix in its name.
  [[nodiscard]] std::vector<std::byte> read(std::string_view record) const;
  // For messages about a record.
  [[nodiscard]] Where where(std::string_view record) const;
  // A storage's CRC is compared before its bytes are given out for the first time.
  std::shared_ptr<const Storage> storage(const std::string& key) override;
  [[nodiscard]] std::size_t id_size() const override { return 5; }

 private:
  [[nodiscard]] const ZipEntry* find(std::string_view record) const;

  std::shared_ptr<const ZipReader> zip_;
  std::string prefix_;  // "archive/"
  std::map<std::string, std::shared_ptr<const Storage>> storages_;
};

// Error(unsupported) when the record "byteorder" says big, Error(malformed) when it says something unknown.
void check_byte_order(const Archive& archive);

enum class ArchiveKind {
  other,
  saved,  // torch.save
  script  // torch.jit.save: NAME/constants.pkl beside NAME/data.pkl
};

// By the archive's directory; of a file that was cut, by its first record.
ArchiveKind archive_kind(const MappedFile& file);

}  // namespace tieout::torch_pt
