#include "containers/hdf5/datatype.h"

#include <array>

namespace tieout::hdf5 {

namespace {

struct Number {
  DType dtype;
  hid_t little;
  hid_t big;
};

// libhdf5 makes these identifiers when it is first used, so they cannot be constants.
std::array<Number, 10> numbers() {
  return {{{DType::f32, H5T_IEEE_F32LE, H5T_IEEE_F32BE},
           {DType::f64, H5T_IEEE_F64LE, H5T_IEEE_F64BE},
           {DType::i8, H5T_STD_I8LE, H5T_STD_I8BE},
           {DType::u8, H5T_STD_U8LE, H5T_STD_U8BE},
           {DType::i16, H5T_STD_I16LE, H5T_STD_I16BE},
           {DType::u16, H5T_STD_U16LE, H5T_STD_U16BE},
           {DType::i32, H5T_STD_I32LE, H5T_STD_I32BE},
           {DType::u32, H5T_STD_U32LE, H5T_STD_U32BE},
           {DType::i64, H5T_STD_I64LE, H5T_STD_I64BE},
           {DType::u64, H5T_STD_U64LE, H5T_STD_U64BE}}};
}

// IEEE binary16: sign at 15, exponent 10..14 with bias 15, mantissa 0..9.
Handle half(H5T_order_t order) {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  if (H5Tset_fields(type.id(), 15, 10, 5, 0, 10) < 0 || H5Tset_size(type.id(), 2) < 0 ||
      H5Tset_ebias(type.id(), 15) < 0 || H5Tset_order(type.id(), order) < 0) {
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

std::optional<DType> opaque_dtype(const std::string& name) {
  for (const DType dtype : {DType::bf16, DType::f8_e4m3fn, DType::f8_e5m2}) {
    if (name == to_string(dtype)) return dtype;
  }
  return std::nullopt;
}

}  // namespace

bool is_opaque(DType dtype) {
  return opaque_dtype(std::string(to_string(dtype))).has_value();
}

std::optional<StoredType> dtype_of(hid_t type, const std::string& opaque_name) {
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_OPAQUE) {
    const auto dtype = opaque_dtype(opaque_name);
    if (!dtype || H5Tget_size(type) != size_of(*dtype)) return std::nullopt;
    return StoredType{*dtype, true};
  }
  if (kind == H5T_ENUM) {
    if (H5Tequal(type, boolean().id()) <= 0) return std::nullopt;
    return StoredType{DType::boolean, true};
  }
  for (const Number& number : numbers()) {
    if (H5Tequal(type, number.little) > 0) return StoredType{number.dtype, true};
    if (H5Tequal(type, number.big) > 0) return StoredType{number.dtype, size_of(number.dtype) == 1};
  }
  if (kind == H5T_FLOAT && H5Tget_size(type) == 2) {
    if (H5Tequal(type, half(H5T_ORDER_LE).id()) > 0) return StoredType{DType::f16, true};
    if (H5Tequal(type, half(H5T_ORDER_BE).id()) > 0) return StoredType{DType::f16, false};
  }
  return std::nullopt;
}

Handle type_of(DType dtype) {
  if (dtype == DType::boolean) return boolean();
  if (dtype == DType::f16) return half(H5T_ORDER_LE);
  if (is_opaque(dtype)) return {H5Tcreate(H5T_OPAQUE, size_of(dtype)), H5Tclose};
  for (const Number& number : numbers()) {
    if (number.dtype == dtype) return {H5Tcopy(number.little), H5Tclose};
  }
  throw unsupported("tensors of " + std::string(to_string(dtype)) + " cannot be stored in an HDF5 file");
}

}  // namespace tieout::hdf5
