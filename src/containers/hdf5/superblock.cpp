#include "containers/hdf5/superblock.h"

#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

namespace tieout::hdf5 {

namespace {

constexpr std::array<unsigned char, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

std::optional<std::uint64_t> find_signature(Bytes bytes) {
  for (std::uint64_t at = 0; at + signature.size() <= bytes.size(); at = at == 0 ? 512 : at * 2) {
    if (std::memcmp(bytes.data() + at, signature.data(), signature.size()) == 0) return at;
  }
  return std::nullopt;
}

std::uint64_t take_address(ByteReader& reader, std::uint8_t size) {
  if (size == 8) return reader.u64("address");
  if (size == 4) return reader.u32("address");
  throw reader.error(fmt::format("addresses of {} bytes; 4 or 8 were expected", size));
}

// The end of file that the superblock states.
std::uint64_t stated_end(ByteReader& reader) {
  const std::uint8_t version = reader.u8("superblock version");
  std::uint8_t address_size = 8;
  if (version <= 1) {
    reader.skip(4);  // versions of the free space, the root group; reserved; shared header messages
    address_size = reader.u8("size of addresses");
    reader.skip(10);                   // size of lengths, reserved, two B-tree sizes, flags
    if (version == 1) reader.skip(4);  // a third B-tree size
  } else if (version <= 3) {
    address_size = reader.u8("size of addresses");
    reader.skip(2);  // size of lengths, flags
  } else {
    throw reader.error(fmt::format("HDF5 superblock version {}; 0 to 3 are known", version));
  }
  take_address(reader, address_size);  // base address
  take_address(reader, address_size);  // free space (version 0, 1), superblock extension (2, 3)
  return take_address(reader, address_size);
}

}  // namespace

bool has_signature(Bytes bytes) {
  return find_signature(bytes).has_value();
}

void check_superblock(Bytes bytes, const Where& where) {
  const auto start = find_signature(bytes);
  if (!start) {
    Where here = where;
    here.offset = 0;
    throw malformed("no HDF5 signature", here);
  }
  ByteReader reader(bytes, where);
  reader.seek(*start);
  reader.skip(signature.size());
  const std::uint64_t end = stated_end(reader);
  if (end > bytes.size()) {
    Where here = where;
    here.offset = bytes.size();
    throw malformed(fmt::format("the HDF5 file is cut: {} bytes stated, {} found", end, bytes.size()), here);
  }
}

}  // namespace tieout::hdf5
