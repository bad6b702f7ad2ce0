#include "formats/torch_pt/archive.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace tieout::torch_pt {

namespace {

// Far more than any pickle of a network needs: the tensors' elements are not in it.
constexpr std::uint64_t largest_record = std::uint64_t{1} << 30;

// "NAME/data.pkl" with exactly one folder.
bool is_pickle_record(std::string_view name) {
  const std::size_t slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && name.substr(slash + 1) == pickle_record;
}

class Record final : public Storage {
 public:
  Record(std::shared_ptr<const ZipReader> zip, const ZipEntry& entry)
      : zip_(std::move(zip)), entry_(&entry) {}

  [[nodiscard]] std::uint64_t size() const override { return entry_->size; }
  [[nodiscard]] Bytes bytes() const override {
    zip_->verify(*entry_);
    return zip_->stored(*entry_);
  }

 private:
  std::shared_ptr<const ZipReader> zip_;
  const ZipEntry* entry_;
};

}  // namespace

Archive::Archive(FileRef file) : zip_(std::make_shared<const ZipReader>(std::move(file))) {
  const auto& entries = zip_->entries();
  const auto pickle =
      std::ranges::find_if(entries, [](const ZipEntry& entry) { return is_pickle_record(entry.name); });
  if (pickle == entries.end()) {
    throw malformed("the archive holds no NAME/data.pkl",
                    {.file = zip_->file()->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}});
  }
  prefix_ = pickle->name.substr(0, pickle->name.find('/') + 1);
}

const ZipEntry* Archive::find(std::string_view record) const {
  return zip_->find(prefix_ + std::string(record));
}

std::vector<std::byte> Archive::read(std::string_view record) const {
  return zip_->read(zip_->get(prefix_ + std::string(record)), largest_record);
}

Where Archive::where(std::string_view record) const {
  return {.file = file(), .entry = prefix_ + std::string(record), .offset = {}, .tensor = {}, .layer = {}};
}

std::shared_ptr<const Storage> Archive::storage(const std::string& key) {
  const auto known = storages_.find(key);
  if (known != storages_.end()) return known->second;
  const ZipEntry& entry = zip_->get(prefix_ + "data/" + key);
  if (entry.method != ZipMethod::stored) {
    // PyTorch itself reads such a file rightly, or wrongly and silently, depending on mmap.
    throw malformed("a storage is compressed; PyTorch never writes it so", where("data/" + key));
  }
  return storages_.emplace(key, std::make_shared<const Record>(zip_, entry)).first->second;
}

bool is_torch_archive(const MappedFile& file) {
  if (!ZipReader::recognises(file.bytes())) return false;
  try {
    // The directory is at the end: of a file that was cut, only the first header can be asked.
    ByteReader header(file.bytes(), {});
    header.skip(26);
    const std::uint16_t name_size = header.u16();
    header.skip(2);
    if (is_pickle_record(header.take_text(name_size))) return true;
    const std::shared_ptr<const MappedFile> borrowed(&file, [](const MappedFile*) {});
    const ZipReader zip(borrowed);
    return std::ranges::any_of(zip.entries(),
                               [](const ZipEntry& entry) { return is_pickle_record(entry.name); });
  } catch (const Error&) {
    return false;
  }
}

}  // namespace tieout::torch_pt
