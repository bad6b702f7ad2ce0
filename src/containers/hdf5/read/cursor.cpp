#include "containers/hdf5/read/cursor.h"

#include <fmt/format.h>

namespace tieout::hdf5 {

std::uint64_t Cursor::number(std::size_t size, std::string_view what) {
  if (size > sizeof(std::uint64_t)) throw error(fmt::format("a number of {} bytes; 8 can be", size));
  std::uint64_t value = 0;
  const Bytes taken = take(size, what);
  if (size > 0) std::memcpy(&value, taken.data(), size);
  return value;
}

std::uint64_t Cursor::address(std::string_view what) {
  const std::uint64_t value = number(widths_.address, what);
  const std::uint64_t none = no_address >> (64U - 8U * widths_.address);
  return value == none ? no_address : value;
}

void Cursor::expect(std::string_view signature) {
  const std::uint64_t here = position();
  if (take_text(signature.size(), "signature") == signature) return;
  seek(here);
  throw error(fmt::format("expected {} here", signature));
}

void Cursor::expect_version(std::uint8_t version, std::string_view of) {
  const std::uint64_t here = position();
  const std::uint8_t found = u8("version");
  if (found == version) return;
  seek(here);
  throw error(fmt::format("{} of version {}; {} was expected", of, found, version));
}

}  // namespace tieout::hdf5
