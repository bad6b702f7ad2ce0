#include "base/crc32.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/parallel.h"

namespace tieout {

namespace {

// Worth another thread: half a millisecond.
constexpr std::size_t piece = std::size_t{4} << 20;

std::uint32_t crc32_shared_out(Bytes bytes, std::uint32_t before) {
  const std::size_t count = (bytes.size() + piece - 1) / piece;
  const auto piece_of = [&](std::size_t k) {
    return bytes.subspan(k * piece, std::min(piece, bytes.size() - k * piece));
  };
  std::vector<std::uint32_t> crcs(count);
  parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(last); ++k)
      crcs[k] = libdeflate_crc32(0, piece_of(k).data(), piece_of(k).size());
  });
  std::uint32_t crc = before;
  for (std::size_t k = 0; k < count; ++k) crc = crc32_joined(crc, crcs[k], piece_of(k).size());
  return crc;
}

}  // namespace

std::uint32_t crc32_of(Bytes bytes, std::uint32_t before) {
  if (bytes.empty()) return before;  // the library takes a null pointer for "begin anew"
  if (bytes.size() > piece) return crc32_shared_out(bytes, before);
  return libdeflate_crc32(before, bytes.data(), bytes.size());
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length) {
  return static_cast<std::uint32_t>(crc32_combine(first, second, static_cast<z_off_t>(length)));
}

}  // namespace tieout
