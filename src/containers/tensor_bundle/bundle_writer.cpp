#include "containers/tensor_bundle/bundle_writer.h"

#include <algorithm>
#include <fstream>
#include <span>

#include "containers/protobuf/message_writer.h"
#include "containers/tensor_bundle/crc32c.h"
#include "containers/tensor_bundle/entry.h"

namespace tieout::tensor_bundle {

namespace {

using Entries = std::map<std::string, BundleEntry>;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string little_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(value >> shift);
  return text;
}

// A string scalar: the varint of its length, the masked checksum of the length, the bytes. The entry's
// checksum is of the length as it was checked, that checksum and the bytes.
BundleEntry write_text(const std::string& text, OutputFile& data) {
  BundleEntry entry;
  entry.type = string_type;
  entry.offset = data.position();
  const std::string length = little_endian(static_cast<std::uint32_t>(text.size()));
  const std::string check = little_endian(masked(crc32c_of(bytes_of(length))));
  std::string head;
  protobuf::append_varint(head, text.size());
  data.write(head + check);
  data.write(text);
  entry.size = data.position() - entry.offset;
  entry.crc = masked(crc32c_of(bytes_of(text), crc32c_of(bytes_of(length + check))));
  return entry;
}

// What an output holds from an offset on, read in pieces: mapped, it would count as memory.
class Written {
 public:
  Written(const OutputFile& file, std::uint64_t begin)
      : path_(file.path()), stream_(file.temporary_path(), std::ios::binary), piece_(std::size_t{1} << 20) {
    stream_.seekg(static_cast<std::streamoff>(begin));
  }

  // Of the next `size` bytes.
  std::uint32_t crc(std::uint64_t size) {
    std::uint32_t crc = 0;
    while (size > 0) {
      const std::uint64_t count = std::min<std::uint64_t>(size, piece_.size());
      if (!stream_.read(piece_.data(), static_cast<std::streamsize>(count)))
        throw io_error(path_, "what was written cannot be read again");
      crc = crc32c_of(bytes_of({piece_.data(), count}), crc);
      size -= count;
    }
    return crc;
  }

 private:
  std::string path_;
  std::ifstream stream_;
  std::vector<char> piece_;
};

// Behind what the data file holds already.
void write_shard(const Shard& shard, std::uint64_t number, Entries& entries, const PayloadOptions& options) {
  Payload payload;
  const std::uint64_t begin = shard.data.position();
  for (const auto& [name, tensor] : shard.tensors) {
    BundleEntry entry;
    entry.type = type_of_dtype(tensor.dtype);
    entry.shard = number;
    entry.shape = tensor.shape;
    entry.offset = begin + payload.size;
    entry.size = byte_count(tensor.shape, tensor.dtype);
    payload.tensors.push_back({payload.size, tensor});
    payload.size += entry.size;
    if (!entries.emplace(name, std::move(entry)).second)
      throw internal_error("two tensors of a checkpoint have the name " + name);
  }
  write_whole(shard.data, std::move(payload), options);
  // Tensors are written in parts, in any order: their checksums are taken of what the file now holds.
  Written written(shard.data, begin);
  for (const auto& [name, tensor] : shard.tensors)
    entries.at(name).crc = masked(written.crc(entries.at(name).size));
}

}  // namespace

void write_bundle(const std::vector<Shard>& shards, const std::map<std::string, std::string>& texts,
                  OutputFile& index, const PayloadOptions& options) {
  Entries entries;
  for (const auto& [name, text] : texts) entries.emplace(name, write_text(text, shards.front().data));
  for (std::size_t i = 0; i < shards.size(); ++i) write_shard(shards[i], i, entries, options);
  TableWriter table;
  table.add("", header_of(shards.size()));
  for (const auto& [name, entry] : entries) table.add(name, to_proto(entry));
  index.write(table.finish());
}

}  // namespace tieout::tensor_bundle
