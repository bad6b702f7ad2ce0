// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) as TensorFlow's files have it, at the speed of the
// memory.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"

namespace tieout::tensor_bundle {

// Of `bytes` behind what has the checksum `before`, in this thread (base/shared_crc.h takes all).
std::uint32_t crc32c_of(Bytes bytes, std::uint32_t before = 0);

// Of a whole from its two parts' checksums; `length` is the second part's.
std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length);

// The same without the processor's instruction for it.
std::uint32_t crc32c_by_table(Bytes bytes, std::uint32_t before = 0);

// Checksums are stored so, since that of bytes which hold checksums says little
// (https://github.com/google/leveldb/blob/main/util/crc32c.h).
std::uint32_t masked(std::uint32_t crc);

}  // namespace tieout::tensor_bundle
