// Text attributes of HDF5 objects.
#pragma once

#include <string>
#include <vector>

#include "containers/hdf5/read/element_type.h"
#include "containers/hdf5/read/global_heap.h"
#include "containers/hdf5/tree.h"

namespace tieout::hdf5 {

// The messages of all attributes of an object: those in its header, and those in a fractal heap.
std::vector<Cursor> attribute_messages(Image& image, const ObjectHeader& object, const std::string& path);

// The name that such a message begins with.
std::string attribute_name(Cursor message);

class AttributeReader {
 public:
  AttributeReader(Image& image, ElementTypes& types) : image_(image), types_(types), heap_(image) {}

  // Those attributes of the object that hold text (see Attribute); `path` is its name for messages.
  std::vector<Attribute> read(const ObjectHeader& object, const std::string& path);

 private:
  std::optional<Attribute> read_one(Cursor& message, const std::string& path);
  std::vector<std::string> fixed_texts(Cursor& data, std::uint64_t count, std::uint64_t size);
  std::vector<std::string> variable_texts(Cursor& data, std::uint64_t count, const std::string& path);

  Image& image_;
  ElementTypes& types_;
  GlobalHeap heap_;
};

}  // namespace tieout::hdf5
