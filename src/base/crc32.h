// CRC-32 as zip has it (ISO 3309, reflected polynomial 0xEDB88320), at the speed of the memory.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"

namespace tieout {

// Of `bytes` behind what has the checksum `before`, in this thread (base/shared_crc.h takes all).
std::uint32_t crc32_of(Bytes bytes, std::uint32_t before = 0);

// Of a whole from its two parts' checksums; `length` is the second part's.
std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length);

}  // namespace tieout
