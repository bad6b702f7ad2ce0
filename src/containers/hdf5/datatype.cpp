#include "containers/hdf5/datatype.h"

#include <array>

namespace tieout::hdf5 {

namespace {

struct Number {
  DType dtype;
  hid_t type;
};

// libhdf5 makes these identifiers when it is first used, so they cannot be constants.
std::array<Number, 10> numbers() {
  return {{{DType::f32, H5T_IEEE_F32LE},
           {DType::f64, H5T_IEEE_F64LE},
           {DType::i8, H5T_STD_I8LE},
           {DType::u8, H5T_STD_U8LE},
           {DType::i16, H5T_STD_I16LE},
           {DType::u16, H5T_STD_U16LE},
           {DType::i32, H5T_STD_I32LE},
           {DType::u32, H5T_STD_U32LE},
           {DType::i64, H5T_STD_I64LE},
           {DType::u64, H5T_STD_U64LE}}};
}

// IEEE binary16: sign at 15, exponent 10..14 with bias 15, mantissa 0..9.
Handle half() {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  if (H5Tset_fields(type.id(), 15, 10, 5, 0, 10) < 0 || H5Tset_size(type.id(), 2) < 0 ||
      H5Tset_ebias(type.id(), 15) < 0) {
    throw internal_error("libhdf5 cannot make a 16 bit float: " + library_reason());
  }
  return type;
}

Handle boolean() {
  Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  if (H5Tenum_insert(type.id(), "FALSE", &no) < 0 || H5Tenum_insert(type.id(), "TRUE", &yes) < 0) {
    throw internal_error("libhdf5 cannot make a boolean type: " + library_reason());
  }
  return type;
}

}  // namespace

bool is_opaque(DType dtype) {
  return dtype == DType::bf16 || dtype == DType::f8_e4m3fn || dtype == DType::f8_e5m2;
}

Handle type_of(DType dtype) {
  if (dtype == DType::boolean) return boolean();
  if (dtype == DType::f16) return half();
  if (is_opaque(dtype)) return {H5Tcreate(H5T_OPAQUE, size_of(dtype)), H5Tclose};
  for (const Number& number : numbers()) {
    if (number.dtype == dtype) return {H5Tcopy(number.type), H5Tclose};
  }
  throw unsupported("tensors of " + std::string(to_string(dtype)) + " cannot be stored in an HDF5 file");
}

}  // namespace tieout::hdf5
