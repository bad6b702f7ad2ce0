#include "containers/hdf5/read/image.h"

#include <fmt/format.h>

#include "containers/hdf5/read/checksum.h"

namespace tieout::hdf5 {

namespace {

// Structures are read once, their parts (names, texts, objects of a heap) perhaps once more.
constexpr std::uint64_t readings = 8;
// What datasets may announce beyond that because they hold one fill value.
constexpr std::uint64_t free_elements = std::uint64_t{64} << 20U;

constexpr std::size_t checksum_size = 4;

}  // namespace

Image::Image(Bytes bytes, Where where)
    : where_(std::move(where)), superblock_(read_superblock(bytes, where_)) {
  bytes_ = bytes.subspan(superblock_.start, superblock_.end - superblock_.start);
}

Where Image::where(const std::string& path) const {
  Where place = where_;
  (place.entry.empty() ? place.entry : place.tensor) = path;
  return place;
}

Where Image::where(const std::string& path, std::uint64_t address) const {
  Where place = where(path);
  place.offset = superblock_.start + address;
  return place;
}

Bytes Image::bytes(std::uint64_t address, std::uint64_t size, const std::string& path) const {
  if (address > bytes_.size() || size > bytes_.size() - address) {
    const std::string place =
        address == no_address ? "an address that is not set" : fmt::format("{}", address);
    throw malformed(fmt::format("{} bytes at {} leave the file of {}", size, place, bytes_.size()),
                    where(path, address > bytes_.size() ? bytes_.size() : address));
  }
  return bytes_.subspan(address, size);
}

Cursor Image::cursor(Bytes bytes, std::uint64_t address, const std::string& path) const {
  return {bytes, where(path), superblock_.start + address, superblock_.widths};
}

Cursor Image::from(std::uint64_t address, const std::string& path) const {
  const Bytes none = bytes(address, 0, path);
  return cursor(bytes_.subspan(static_cast<std::size_t>(none.data() - bytes_.data())), address, path);
}

Cursor Image::block(std::uint64_t address, std::uint64_t size, const std::string& path) {
  const Bytes taken = bytes(address, size, path);
  charge(size, path);
  return cursor(taken, address, path);
}

Cursor Image::checked_block(std::uint64_t address, std::uint64_t size, std::string_view signature,
                            const std::string& path) {
  Cursor whole = block(address, size, path);
  whole.expect(signature);
  if (whole.remaining() < checksum_size) throw whole.error("a structure without a checksum");
  const Bytes covered = bytes(address, size - checksum_size, path);
  whole.seek(covered.size());
  if (whole.u32("checksum") != lookup3(covered)) {
    whole.seek(covered.size());
    throw whole.error(fmt::format("the checksum of a structure {} is wrong", signature));
  }
  return cursor(covered.subspan(signature.size()), address + signature.size(), path);
}

void Image::charge(std::uint64_t bytes, const std::string& path) {
  const std::uint64_t most = readings * bytes_.size();
  if (bytes > most - charged_) throw malformed("the structures of the file overlap", where(path));
  charged_ += bytes;
}

void Image::announce(std::uint64_t bytes, const std::string& path) {
  const std::uint64_t most = max_expansion * bytes_.size() + free_elements;
  if (bytes > most - announced_) {
    throw malformed(
        fmt::format("datasets of more than {} bytes, which a file of {} cannot hold", most, bytes_.size()),
        where(path));
  }
  announced_ += bytes;
}

}  // namespace tieout::hdf5
