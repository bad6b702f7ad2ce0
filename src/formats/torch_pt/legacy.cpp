#include "formats/torch_pt/legacy.h"

#include <map>
#include <string>
#include <utility>

#include "base/checked.h"
#include "formats/torch_pt/tensor_reader.h"
#include "formats/torch_pt/torch_dtype.h"

namespace tieout::torch_pt {

namespace {

// pickle(0x1950a86a20f9469cfc6c), pickle(1001): _legacy_save's magic number and protocol version.
constexpr std::string_view magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::string_view protocol("\x80\x02M\xe9\x03.", 6);

PickleTree next_pickle(ByteReader& reader, const MappedFile& file) {
  const Where where{.file = file.path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}};
  const Bytes rest = file.bytes().subspan(reader.position());
  PickleTree tree = [&] {
    try {
      return read_leading_pickle({rest.begin(), rest.end()}, torch_callables(), where);
    } catch (const Error& error) {
      // Offsets of the pickle become offsets of the file.
      Where placed = error.where();
      if (placed.offset) *placed.offset += reader.position();
      throw malformed(error.what(), placed);
    }
  }();
  reader.skip(tree.length());
  return tree;
}

// For each key: i64 element count, elements. The class in the object's persistent ids tells the elements'
// size.
void skip_storages(ByteReader& reader, const PickleTree& object, const PickleNode& keys) {
  std::map<std::string, std::uint64_t, std::less<>> element_sizes;
  for (const PickleNode& persistent : object.persistent()) {
    const PickleNode id = persistent.id();
    if (id.item(0).text() != "storage") continue;  // ('module', class, source file, source text)
    const auto dtype = dtype_of_storage(id.item(1).name());
    // Quantised storages have at least one byte.
    element_sizes.emplace(id.item(2).text(), dtype ? size_of(*dtype) : 1);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto size = element_sizes.find(keys.item(i).text());
    if (size == element_sizes.end()) throw keys.item(i).error("a storage that no tensor has");
    const std::uint64_t count = reader.u64("storage size");
    const auto bytes = checked_mul(count, size->second);
    if (!bytes) throw reader.error("the element count of storage " + size->first + " is out of range");
    reader.take(*bytes, "storage " + size->first);
  }
}

}  // namespace

bool is_bare_pickle(Bytes file) {
  // PROTO, and a protocol.
  return file.size() >= 2 && file[0] == std::byte{0x80} && file[1] >= std::byte{2} && file[1] <= std::byte{5};
}

void refuse_bare_pickle(const MappedFile& file) {
  ByteReader reader(file.bytes(),
                    {.file = file.path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}});
  if (file.bytes().size() < magic.size() || reader.take_text(magic.size()) != magic) {
    reader.seek(0);
    throw reader.error("a pickle, but not one that torch.save wrote");
  }
  if (reader.take_text(protocol.size(), "protocol version") != protocol) {
    throw reader.error("the legacy PyTorch file has an unknown protocol version");
  }
  next_pickle(reader, file);  // sizes of the writer's integers
  const PickleTree object = next_pickle(reader, file);
  const PickleTree keys = next_pickle(reader, file);
  skip_storages(reader, object, keys.root());
  throw unsupported("the file has PyTorch's legacy format (before 1.6)",
                    {.file = file.path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                    "re-save it: torch.save(torch.load(FILE, weights_only=True), NEW)");
}

}  // namespace tieout::torch_pt
