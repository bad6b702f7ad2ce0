// The global heap: collections of strings of variable length (specification, III.E).
#pragma once

#include <map>
#include <string>

#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

class GlobalHeap {
 public:
  explicit GlobalHeap(Image& image) : image_(image) {}

  // The object `index` of the collection at `address`, with the padding behind it left out.
  Bytes object(std::uint64_t address, std::uint32_t index, const std::string& path);

 private:
  using Collection = std::map<std::uint32_t, Bytes>;  // by index
  Collection read_collection(std::uint64_t address, const std::string& path);

  Image& image_;
  std::map<std::uint64_t, Collection> collections_;  // by address; each is read once
};

}  // namespace tieout::hdf5
