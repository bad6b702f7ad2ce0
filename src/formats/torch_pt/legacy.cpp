#include "formats/torch_pt/legacy.h"

#include <charconv>
#include <utility>

#include "base/checked.h"
#include "formats/torch_pt/tensor_reader.h"
#include "formats/torch_pt/torch_dtype.h"

namespace tieout::torch_pt {

namespace {

// pickle(0x1950a86a20f9469cfc6c), pickle(1001): _legacy_save's magic number and protocol version.
constexpr std::string_view magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::string_view protocol("\x80\x02M\xe9\x03.", 6);

class MappedStorage final : public Storage {
 public:
  MappedStorage(FileRef file, Bytes bytes) : file_(std::move(file)), bytes_(bytes) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Bytes bytes() const override { return bytes_; }

 private:
  FileRef file_;
  Bytes bytes_;
};

Where where_in(const std::string& path) {
  return {.file = path, .entry = {}, .offset = {}, .tensor = {}, .layer = {}};
}

PickleTree next_pickle(ByteReader& reader, const FileRef& file) {
  PickleTree tree = read_leading_pickle(
      {.bytes = file->bytes().subspan(reader.position()), .owner = file, .offset = reader.position()},
      torch_callables(), where_in(file->path()));
  reader.skip(tree.length());
  return tree;
}

void check_byte_order(const PickleNode& writer) {
  const auto little = writer.find("little_endian");
  if (!little) throw writer.error("the file does not say whether its numbers are little-endian");
  if (little->boolean()) return;
  throw unsupported("the file was written on a big-endian machine", writer.error("").where(),
                    "load it with PyTorch there, and save it again as a zip file, which says its byte order");
}

// The storages that the object's persistent ids name, by key, and the bytes of an element of each.
std::map<std::string, std::size_t> named_storages(const PickleTree& object) {
  std::map<std::string, std::size_t> element_sizes;
  for (const PickleNode& persistent : object.persistent()) {
    const PickleNode id = persistent.id();
    if (!is_storage_id(id)) continue;
    const auto size = element_size_of_storage(id.item(1).name());
    if (!size) {
      throw unsupported("storages of type " + id.item(1).full_name() + " are not supported",
                        id.item(1).error("").where(), "save the file again with a newer PyTorch");
    }
    const auto [known, is_new] = element_sizes.emplace(id.item(2).text(), *size);
    if (!is_new && known->second != *size)
      throw id.error("storage " + known->first + " has elements of two sizes");
  }
  return element_sizes;
}

// A member of a tar archive: 512 bytes of header, its size in octal digits at byte 124 (POSIX.1, pax), then
// the member, padded to a multiple of 512.
constexpr std::size_t tar_block = 512;
constexpr std::size_t tar_size_at = 124;
constexpr std::size_t tar_size_digits = 11;
constexpr int most_members = 8;  // that are looked at; pax headers may stand between

}  // namespace

bool is_bare_pickle(Bytes file) {
  // PROTO, and a protocol.
  return file.size() >= 2 && file[0] == std::byte{0x80} && file[1] >= std::byte{2} && file[1] <= std::byte{5};
}

bool is_tar_container(Bytes file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  std::size_t at = 0;
  for (int member = 0; member < most_members && text.size() - at >= tar_block; ++member) {
    const std::string_view header = text.substr(at, tar_block);
    if (header.substr(257, 5) != "ustar") return false;
    const std::string_view name = header.substr(0, header.find('\0'));
    if (name == "storages" || name == "tensors" || name == "pickle") return true;
    const std::string_view digits = header.substr(tar_size_at, tar_size_digits);
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
    if (error != std::errc() || size > text.size() - at - tar_block) return false;
    at += tar_block + (size + tar_block - 1) / tar_block * tar_block;
    if (at > text.size()) return false;
  }
  return false;
}

LegacyFile::LegacyFile(const FileRef& file) : path_(file->path()) {
  ByteReader reader(file->bytes(), where_in(path_));
  if (file->bytes().size() < magic.size() || reader.take_text(magic.size()) != magic) {
    reader.seek(0);
    throw reader.error("a pickle, but not one that torch.save wrote");
  }
  if (reader.take_text(protocol.size(), "protocol version") != protocol) {
    throw reader.error("the legacy PyTorch file has an unknown protocol version");
  }
  check_byte_order(next_pickle(reader, file).root());
  object_ = next_pickle(reader, file);
  check_persistent_ids(object_, *this);
  const PickleTree keys = next_pickle(reader, file);
  read_storages(reader, file, keys.root());
  if (!reader.at_end()) throw reader.error("bytes are left after the last storage");
}

void LegacyFile::read_storages(ByteReader& reader, const FileRef& file, const PickleNode& keys) {
  const auto element_sizes = named_storages(object_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto named = element_sizes.find(std::string(keys.item(i).text()));
    if (named == element_sizes.end()) throw keys.item(i).error("a storage that no tensor has");
    const std::uint64_t count = reader.u64("storage size");
    const auto size = checked_mul(count, named->second);
    if (!size) throw reader.error("the element count of storage " + named->first + " is out of range");
    const Bytes bytes = reader.take(*size, "storage " + named->first);
    if (!storages_.emplace(named->first, std::make_shared<const MappedStorage>(file, bytes)).second)
      throw keys.item(i).error("storage " + named->first + " comes twice");
  }
}

std::shared_ptr<const Storage> LegacyFile::storage(const std::string& key) {
  const auto found = storages_.find(key);
  if (found != storages_.end()) return found->second;
  throw malformed("the file does not hold the storage " + key, where_in(path_));
}

}  // namespace tieout::torch_pt
