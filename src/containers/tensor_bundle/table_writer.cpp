#include <algorithm>
#include <span>

#include "containers/protobuf/message_writer.h"
#include "containers/tensor_bundle/crc32c.h"
#include "containers/tensor_bundle/table.h"
#include "containers/tensor_bundle/table_layout.h"

namespace tieout::tensor_bundle {

namespace {

using protobuf::append_varint;

void append_fixed(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

}  // namespace

void TableWriter::Block::add(const std::string& key, std::string_view value) {
  std::size_t shared = 0;
  if (since_restart_ == 0) {
    restarts_.push_back(static_cast<std::uint32_t>(entries_.size()));
  } else {
    shared = static_cast<std::size_t>(std::ranges::mismatch(key, last_key_).in1 - key.begin());
  }
  append_varint(entries_, shared);
  append_varint(entries_, key.size() - shared);
  append_varint(entries_, value.size());
  entries_ += std::string_view(key).substr(shared);
  entries_ += value;
  last_key_ = key;
  since_restart_ = (since_restart_ + 1) % entries_between_restarts;
}

std::string TableWriter::Block::take() {
  if (restarts_.empty()) restarts_.push_back(0);
  std::string block = std::move(entries_);
  for (const std::uint32_t restart : restarts_) append_fixed(block, restart, 4);
  append_fixed(block, restarts_.size(), 4);
  *this = {};
  return block;
}

void TableWriter::add(const std::string& key, std::string_view value) {
  if (has_entries_ && key <= last_key_) throw internal_error("a table's keys were added out of order");
  block_.add(key, value);
  last_key_ = key;
  has_entries_ = true;
  if (block_.size() >= block_size) end_block();
}

std::string TableWriter::write_block(Block& block) {
  std::string handle;
  append_varint(handle, file_.size());
  std::string bytes = block.take();
  append_varint(handle, bytes.size());
  bytes += static_cast<char>(not_compressed);
  const std::uint32_t crc = masked(crc32c_of(std::as_bytes(std::span(bytes))));
  append_fixed(bytes, crc, 4);
  file_ += bytes;
  return handle;
}

void TableWriter::end_block() {
  // The block's last key is not before itself, and before all that follow.
  index_.add(last_key_, write_block(block_));
}

std::string TableWriter::finish() {
  if (!block_.empty()) end_block();
  Block metaindex;
  std::string footer = write_block(metaindex);
  footer += write_block(index_);
  footer.resize(footer_size - 8, '\0');
  append_fixed(footer, table_magic, 8);
  return std::move(file_) + footer;
}

}  // namespace tieout::tensor_bundle
