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

// Whether the first record, whose header is not checked, is the pickle.
bool begins_with_pickle(const MappedFile& file) {
  try {
    ByteReader header(file.bytes(), {});
    header.skip(26);
    const std::uint16_t name_size = header.u16();
    header.skip(2);
    return is_pickle_record(header.take_text(name_size));
  } catch (const Error&) {
    return false;
  }
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

void check_byte_order(const Archive& archive) {
  constexpr std::string_view record = "byteorder";
  if (!archive.has(record)) return;
  const std::vector<std::byte> order = archive.read(record);
  const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
  if (text == "big") {
    throw unsupported("the file was written on a big-endian machine", archive.where(record),
                      "load it with PyTorch and save it again on a little-endian one");
  }
  if (text != "little") throw malformed("the byte order is neither little nor big", archive.where(record));
}

ArchiveKind archive_kind(const MappedFile& file) {
  if (!ZipReader::recognises(file.bytes())) return ArchiveKind::other;
  try {
    const std::shared_ptr<const MappedFile> borrowed(&file, [](const MappedFile*) {});
    const ZipReader zip(borrowed);
    const auto pickle = std::ranges::find_if(
        zip.entries(), [](const ZipEntry& entry) { return is_pickle_record(entry.name); });
    if (pickle == zip.entries().end()) return ArchiveKind::other;
    const std::string prefix = pickle->name.substr(0, pickle->name.find('/') + 1);
    return zip.find(prefix + "constants.pkl") != nullptr ? ArchiveKind::script : ArchiveKind::saved;
  } catch (const Error&) {
    return begins_with_pickle(file) ? ArchiveKind::saved : ArchiveKind::other;
  }
}

}  // namespace tieout::torch_pt
