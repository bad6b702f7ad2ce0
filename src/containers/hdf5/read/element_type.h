// What the elements of a dataset or an attribute are (datatype messages; specification, IV.A.2.d).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "containers/hdf5/read/object_header.h"
#include "tensor/dtype.h"

namespace tieout::hdf5 {

struct ElementType {
  std::string name;             // for messages: "a compound type"
  std::uint32_t size = 0;       // bytes of one element in the file, at least 1
  std::optional<DType> number;  // what it is in a tensor, where it can be in one
  bool big_endian = false;      // numbers of more than one byte
  bool opaque = false;          // the attribute "dtype" says what it is
  bool fixed_text = false;      // strings of `size` bytes
  bool variable_text = false;   // strings of any length, in the global heap
};

// Reads datatype messages; those that are an object of their own ("committed", shared by many) once.
class ElementTypes {
 public:
  explicit ElementTypes(Image& image) : image_(image) {}

  // `shared`: the body only says where the type is. Error(malformed) for damage; types that no tensor and no
  // text has are none.
  ElementType read(Cursor& body, bool shared, const std::string& path);

 private:
  Image& image_;
  std::map<std::uint64_t, ElementType> committed_;  // by the address of the object
};

// bfloat16 and the 8 bit floats, which HDF5 does not know, are stored as opaque bytes; `name` is the
// dataset's attribute "dtype" (keras/src/saving/saving_lib.py, H5Entry).
std::optional<DType> dtype_of_opaque(const ElementType& type, const std::string& name);

}  // namespace tieout::hdf5
