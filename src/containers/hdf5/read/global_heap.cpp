#include "containers/hdf5/read/global_heap.h"

#include <algorithm>

#include <fmt/format.h>

namespace tieout::hdf5 {

Bytes GlobalHeap::object(std::uint64_t address, std::uint32_t index, const std::string& path) {
  auto found = collections_.find(address);
  if (found == collections_.end())
    found = collections_.emplace(address, read_collection(address, path)).first;
  const auto object = found->second.find(index);
  if (object == found->second.end())
    throw malformed(fmt::format("no object {} in a global heap", index), image_.where(path, address));
  return object->second;
}

GlobalHeap::Collection GlobalHeap::read_collection(std::uint64_t address, const std::string& path) {
  const std::uint8_t length_size = image_.superblock().widths.length;
  const std::uint64_t prefix_size = 8 + std::uint64_t{length_size};
  Cursor prefix = image_.block(address, prefix_size, path);
  prefix.expect("GCOL");
  prefix.expect_version(1, "a global heap");
  prefix.skip(3);
  const std::uint64_t size = prefix.length("size of a global heap");
  if (size < prefix_size) throw prefix.error(fmt::format("a global heap of {} bytes", size));
  Cursor content = image_.block(address + prefix_size, size - prefix_size, path);
  Collection collection;
  while (content.remaining() >= 8 + std::uint64_t{length_size}) {
    const std::uint16_t index = content.u16("object index");
    content.skip(2 + 4);  // references, reserved
    const std::uint64_t object_size = content.length("object size");
    if (index == 0) break;  // the free space behind the objects
    const Bytes object = content.take(object_size, "object");
    if (!collection.emplace(index, object).second) throw content.error(fmt::format("two objects {}", index));
    content.skip(std::min((8 - object_size % 8) % 8, content.remaining()));
  }
  return collection;
}

}  // namespace tieout::hdf5
