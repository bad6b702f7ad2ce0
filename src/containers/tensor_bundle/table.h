// The sorted table of strings that TensorFlow took from LevelDB
// (https://github.com/google/leveldb/blob/main/doc/table_format.md).
//
//   data blocks ... | metaindex block | index block | footer
//   block   entries, then a u32 offset for each restart, the u32 number of restarts; behind it u8 compression
//           and the u32 masked CRC-32C of the block with that byte
//   entry   varints shared, unshared, size of the value; the key without the bytes that it shares with the
//           key before it; the value. At a restart nothing is shared.
//   handle  varints offset and size of a block. The index block has one for each data block, under a key that
//           is not before the block's last one.
//   footer  handles of the metaindex and the index block, zeros up to 40 bytes, the magic number
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"

namespace tieout::tensor_bundle {

struct TableEntry {
  std::string key;
  Bytes value;               // in the file
  std::uint64_t offset = 0;  // of the value in the file
};

// Whether the file ends with the footer's magic number.
bool is_table(Bytes file);

// All entries, by key. Every block's checksum is compared before its bytes are used. Error(malformed) for
// damage, keys out of order and blocks that overlap; Error(unsupported) for compressed blocks.
std::vector<TableEntry> read_table(Bytes file, const Where& where);

// Builds a table in memory: it holds names and places, no tensors.
class TableWriter {
 public:
  // In the order of the keys; Error(internal) otherwise.
  void add(const std::string& key, std::string_view value);

  // The whole file. Nothing can be added afterwards.
  std::string finish();

 private:
  class Block {
   public:
    void add(const std::string& key, std::string_view value);
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    // With the restarts; the block begins anew.
    std::string take();

   private:
    std::string entries_;
    std::string last_key_;
    std::vector<std::uint32_t> restarts_;
    std::uint32_t since_restart_ = 0;
  };

  // Writes the block and gives its handle.
  std::string write_block(Block& block);
  void end_block();

  std::string file_;
  Block block_;
  Block index_;
  std::string last_key_;
  bool has_entries_ = false;
};

}  // namespace tieout::tensor_bundle
