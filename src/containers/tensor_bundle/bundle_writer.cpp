#include "containers/tensor_bundle/bundle_writer.h"

#include <span>

#include "base/mapped_file.h"
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

}  // namespace

void write_bundle(const std::vector<NamedTensor>& tensors, const std::map<std::string, std::string>& texts,
                  OutputFile& index, OutputFile& data, const PayloadOptions& options) {
  Entries entries;
  for (const auto& [name, text] : texts) entries.emplace(name, write_text(text, data));
  Payload payload;
  const std::uint64_t begin = data.position();
  for (const auto& [name, tensor] : tensors) {
    BundleEntry entry;
    entry.type = type_of_dtype(tensor.dtype);
    entry.shape = tensor.shape;
    entry.offset = begin + payload.size;
    entry.size = byte_count(tensor.shape, tensor.dtype);
    payload.tensors.push_back({payload.size, tensor});
    payload.size += entry.size;
    if (!entries.emplace(name, std::move(entry)).second)
      throw internal_error("two tensors of a checkpoint have the name " + name);
  }
  write_whole(data, std::move(payload), options);
  // Tensors are written in parts, in any order: their checksums are taken of what the file now holds.
  const MappedFile written(data.temporary_path());
  for (const auto& [name, tensor] : tensors) {
    BundleEntry& entry = entries.at(name);
    entry.crc = masked(crc32c_of(written.bytes().subspan(entry.offset, entry.size)));
  }
  TableWriter table;
  table.add("", header_of(1));
  for (const auto& [name, entry] : entries) table.add(name, to_proto(entry));
  index.write(table.finish());
}

}  // namespace tieout::tensor_bundle
