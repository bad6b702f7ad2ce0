#include "base/crc32.h"

#include <libdeflate.h>
#include <zlib.h>

namespace tieout {

std::uint32_t crc32_of(Bytes bytes, std::uint32_t before) {
  if (bytes.empty()) return before;  // the library takes a null pointer for "begin anew"
  return libdeflate_crc32(before, bytes.data(), bytes.size());
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length) {
  return static_cast<std::uint32_t>(crc32_combine(first, second, static_cast<z_off_t>(length)));
}

}  // namespace tieout
