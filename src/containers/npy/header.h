// The dictionary in front of an .npy file's elements.
#pragma once

#include <string_view>

#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tieout/error.h"

namespace tieout::npy {

struct Header {
  DType dtype = DType::f32;
  bool fortran_order = false;
  Shape shape;
};

// Error(malformed) when `text` is not the dictionary that NumPy writes; Error(unsupported) for a type that is
// not carried. No Python is evaluated: the three keys, in any order, with literals.
Header parse_header(std::string_view text, const Where& where);

// "<f8"; Error(unsupported) for types that NumPy does not have.
std::string_view descr(DType dtype);

}  // namespace tieout::npy
