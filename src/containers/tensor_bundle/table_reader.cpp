#include "containers/protobuf/message_reader.h"
#include "containers/tensor_bundle/crc32c.h"
#include "containers/tensor_bundle/table.h"
#include "containers/tensor_bundle/table_layout.h"

namespace tieout::tensor_bundle {

namespace {

using protobuf::take_varint;

// Keys share what they begin with, so that a small file could ask for any amount of memory.
constexpr std::uint64_t most_key_bytes = std::uint64_t{256} << 20;

struct Handle {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

Handle take_handle(ByteReader& reader) {
  Handle handle;
  handle.offset = take_varint(reader, "a block's offset");
  handle.size = take_varint(reader, "a block's size");
  return handle;
}

class Reader {
 public:
  Reader(Bytes file, Where where) : file_(file), where_(std::move(where)) {}

  std::vector<TableEntry> read() {
    if (!is_table(file_)) throw malformed("the file does not end with the footer of a table", where_);
    const std::uint64_t end = file_.size() - footer_size;
    ByteReader footer(file_.subspan(end, footer_size - 8), where_, end);
    const Handle metaindex = take_handle(footer);
    const std::vector<TableEntry> index = entries_of(take_handle(footer));
    for (const std::byte rest : footer.take(footer.remaining())) {
      if (rest != std::byte{0}) throw footer.error("the footer of the table holds more than two handles");
    }
    entries_of(metaindex);  // names filters, which TensorFlow has none of; its damage is the file's
    std::vector<TableEntry> all;
    for (const TableEntry& place : index) {
      ByteReader reader(place.value, where_, place.offset);
      const Handle handle = take_handle(reader);
      if (handle.offset < blocks_end_) throw reader.error("two blocks of the table overlap");
      std::vector<TableEntry> entries = entries_of(handle);
      blocks_end_ = handle.offset + handle.size;
      if (!entries.empty() && entries.back().key > place.key)
        throw reader.error("a block holds keys behind the one that the index has for it");
      for (TableEntry& entry : entries) {
        if (!all.empty() && entry.key <= all.back().key)
          throw reader.error("the table's keys are out of order");
        all.push_back(std::move(entry));
      }
    }
    return all;
  }

 private:
  // The block without its trailer, whose checksum has been compared.
  Bytes block_at(const Handle& handle) {
    const std::uint64_t end = file_.size() - footer_size;
    Where here = where_;
    here.offset = handle.offset;
    if (handle.offset > end || end - handle.offset < trailer_size ||
        handle.size > end - handle.offset - trailer_size)
      throw malformed("a block of the table lies past the end of the file", here);
    ByteReader trailer(file_.subspan(handle.offset + handle.size, trailer_size), where_,
                       handle.offset + handle.size);
    const std::uint8_t compression = trailer.u8("compression");
    const std::uint32_t crc = trailer.u32("checksum");
    if (masked(crc32c_of(file_.subspan(handle.offset, handle.size + 1))) != crc)
      throw malformed("a block of the table does not have its checksum; the file is damaged", here);
    if (compression == by_snappy)
      throw unsupported("the table is compressed by Snappy, which TensorFlow never writes for checkpoints",
                        here, "read it with TensorFlow and save it again");
    if (compression != not_compressed)
      throw malformed("a block has the unknown compression " + std::to_string(compression), here);
    return file_.subspan(handle.offset, handle.size);
  }

  std::vector<TableEntry> entries_of(const Handle& handle) {
    const Bytes block = block_at(handle);
    ByteReader reader(block, where_, handle.offset);
    reader.seek(block.size() < 4 ? 0 : block.size() - 4);
    const std::uint64_t restarts = reader.u32("the number of restarts");
    if (restarts > (block.size() - 4) / 4) throw reader.error("a block has more restarts than bytes");
    const std::uint64_t end = block.size() - 4 - 4 * restarts;
    ByteReader places(block.subspan(end, 4 * restarts), where_, handle.offset + end);
    ByteReader entries(block.first(end), where_, handle.offset);
    std::optional<std::uint64_t> restart;
    if (!places.at_end()) restart = places.u32();
    std::vector<TableEntry> all;
    while (!entries.at_end()) {
      const bool at_restart = restart == entries.position();
      TableEntry entry = take_entry(entries, all.empty() ? std::string_view() : all.back().key, at_restart);
      entry.offset += handle.offset;
      if (!all.empty() && entry.key <= all.back().key)
        throw entries.error("the table's keys are out of order");
      all.push_back(std::move(entry));
      if (at_restart) restart = places.at_end() ? std::nullopt : std::optional<std::uint64_t>(places.u32());
    }
    // A block without entries still has a restart, at its end.
    if (restart && !(all.empty() && *restart == 0))
      throw entries.error("a restart is not where an entry begins");
    return all;
  }

  // Its offset counts from the block's begin.
  TableEntry take_entry(ByteReader& reader, std::string_view before, bool at_restart) {
    const std::uint64_t shared = take_varint(reader, "the shared bytes of a key");
    const std::uint64_t unshared = take_varint(reader, "the other bytes of a key");
    const std::uint64_t size = take_varint(reader, "the size of a value");
    if (shared > before.size() || (at_restart && shared > 0))
      throw reader.error("a key shares more bytes than the key before it has");
    TableEntry entry;
    const std::string_view rest = reader.take_text(unshared, "a key");
    key_bytes_ += shared + unshared;
    if (key_bytes_ > most_key_bytes) throw reader.error("the table's keys have more than 256 MiB");
    entry.key = std::string(before.substr(0, shared)) + std::string(rest);
    entry.offset = reader.position();
    entry.value = reader.take(size, "a value");
    return entry;
  }

  Bytes file_;
  Where where_;
  std::uint64_t blocks_end_ = 0;
  std::uint64_t key_bytes_ = 0;
};

}  // namespace

bool is_table(Bytes file) {
  if (file.size() < footer_size) return false;
  return ByteReader(file.last(8), {}).u64() == table_magic;
}

std::vector<TableEntry> read_table(Bytes file, const Where& where) {
  return Reader(file, where).read();
}

}  // namespace tieout::tensor_bundle
