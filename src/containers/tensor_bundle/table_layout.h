// What the reader and the writer of tables share (see table.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace tieout::tensor_bundle {

constexpr std::uint64_t table_magic = 0xdb4775248b80fb57;
constexpr std::size_t footer_size = 48;
constexpr std::size_t trailer_size = 5;  // of a block: compression and checksum
constexpr std::uint8_t not_compressed = 0;
constexpr std::uint8_t by_snappy = 1;
// As TensorFlow writes them (tensorflow/core/lib/io/table_options.h).
constexpr std::uint32_t entries_between_restarts = 16;
constexpr std::size_t block_size = std::size_t{256} << 10;

}  // namespace tieout::tensor_bundle
