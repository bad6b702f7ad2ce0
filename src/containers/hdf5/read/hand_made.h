// HDF5 files written byte by byte, for tests.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "containers/hdf5/read/checksum.h"
#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

// Begins as a superblock of version 0, with addresses and lengths of 8 bytes and a root group that is
// nowhere.
class HandMade {
 public:
  HandMade() {
    text("\x89HDF\r\n\x1a\n").raw({0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0});
    u64(0).u64(no_address).u64(0).u64(no_address);
    for (int k = 0; k < 5; ++k) u64(0);
  }

  HandMade& raw(std::initializer_list<int> values) {
    for (const int value : values) bytes_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  HandMade& text(std::string_view text) {
    for (const char c : text) bytes_.push_back(static_cast<std::byte>(c));
    return *this;
  }
  HandMade& u16(std::uint16_t value) { return number(value); }
  HandMade& u32(std::uint32_t value) { return number(value); }
  HandMade& u64(std::uint64_t value) { return number(value); }
  // The checksum of all from `begin` on.
  HandMade& checksum(std::uint64_t begin) { return number(lookup3(Bytes(bytes_).subspan(begin))); }

  // Of the next byte.
  [[nodiscard]] std::uint64_t address() const { return bytes_.size(); }

  // The file as far as it is written; it must stay where it is as long as the image is used.
  Image image() {
    constexpr std::size_t end_at = 40;
    const std::uint64_t end = bytes_.size();
    std::memcpy(bytes_.data() + end_at, &end, sizeof end);
    return {bytes_, {.file = "made.h5", .entry = {}, .offset = {}, .tensor = {}, .layer = {}}};
  }

 private:
  template <typename T>
  HandMade& number(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
    return *this;
  }

  std::vector<std::byte> bytes_;
};

}  // namespace tieout::hdf5
