#include "containers/hdf5/read/element_type.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "containers/hdf5/datatype.h"

namespace tieout::hdf5 {

namespace {

enum class Class : std::uint8_t {
  integer,
  floating,
  time,
  text,
  bits,
  opaque,
  compound,
  reference,
  enumeration,
  variable,
  array
};
constexpr std::array class_names{"an integer",    "a float",           "a time",     "a text",
                                 "a bit field",   "an opaque",         "a compound", "a reference",
                                 "an enumerated", "a variable-length", "an array"};

// What a datatype message begins with.
struct Prefix {
  int version;
  Class kind;
  std::uint32_t bits;  // 24 of them
  std::uint32_t size;
};

Prefix read_prefix(Cursor& body) {
  const std::uint8_t first = body.u8("datatype");
  const std::uint8_t kind = first & 0x0fU;
  if (kind >= class_names.size()) throw body.error(fmt::format("a datatype of the unknown class {}", kind));
  const int version = first >> 4U;
  if (version < 1 || version > 4)
    throw body.error(fmt::format("a datatype of version {}; 1 to 4 are known", version));
  const auto bits = static_cast<std::uint32_t>(body.number(3, "datatype"));
  const std::uint32_t size = body.u32("size of an element");
  if (size == 0) throw body.error("a datatype of no bytes");
  return {version, static_cast<Class>(kind), bits, size};
}

std::optional<DType> integer_of(const Prefix& prefix, Cursor& body) {
  const bool is_signed = (prefix.bits & 0x08U) != 0;
  const std::uint16_t offset = body.u16("bit offset");
  const std::uint16_t precision = body.u16("precision");
  if (offset != 0 || precision != 8ULL * prefix.size) return std::nullopt;
  switch (prefix.size) {
    case 1:
      return is_signed ? DType::i8 : DType::u8;
    case 2:
      return is_signed ? DType::i16 : DType::u16;
    case 4:
      return is_signed ? DType::i32 : DType::u32;
    case 8:
      return is_signed ? DType::i64 : DType::u64;
    default:
      return std::nullopt;
  }
}

// IEEE 754's binary16, 32 and 64.
struct FloatLayout {
  DType dtype;
  std::uint32_t size;
  std::uint8_t exponent_at, exponent_size;
  std::uint32_t bias;
};
constexpr std::array float_layouts{FloatLayout{DType::f16, 2, 10, 5, 15},
                                   FloatLayout{DType::f32, 4, 23, 8, 127},
                                   FloatLayout{DType::f64, 8, 52, 11, 1023}};

std::optional<DType> float_of(const Prefix& prefix, Cursor& body) {
  const std::uint32_t sign_at = prefix.bits >> 8U;
  const std::uint32_t leading_one_implied = (prefix.bits >> 4U) & 3U;
  const std::uint16_t offset = body.u16("bit offset");
  const std::uint16_t precision = body.u16("precision");
  const std::uint8_t exponent_at = body.u8("exponent location");
  const std::uint8_t exponent_size = body.u8("exponent size");
  const std::uint8_t mantissa_at = body.u8("mantissa location");
  const std::uint8_t mantissa_size = body.u8("mantissa size");
  const std::uint32_t bias = body.u32("exponent bias");
  for (const FloatLayout& layout : float_layouts) {
    if (prefix.size == layout.size && precision == 8 * layout.size && offset == 0 &&
        sign_at == 8 * layout.size - 1 && leading_one_implied == 2 && exponent_at == layout.exponent_at &&
        exponent_size == layout.exponent_size && mantissa_at == 0 && mantissa_size == layout.exponent_at &&
        bias == layout.bias) {
      return layout.dtype;
    }
  }
  return std::nullopt;
}

// Bit 6 is set for the VAX's order only.
std::optional<bool> is_big_endian(const Prefix& prefix) {
  if (prefix.kind == Class::floating && (prefix.bits & 0x40U) != 0) return std::nullopt;
  return (prefix.bits & 1U) != 0 && prefix.size > 1;
}

// h5py's bool: an enumeration of 8 bits with FALSE = 0 and TRUE = 1.
bool is_boolean(const Prefix& prefix, Cursor& body) {
  const std::uint32_t count = prefix.bits & 0xffffU;
  if (prefix.size != 1 || count != 2) return false;
  const Prefix base = read_prefix(body);
  if (base.kind != Class::integer || integer_of(base, body) != DType::i8) return false;
  std::array<std::string, 2> names;
  for (std::string& name : names) {
    for (char c = static_cast<char>(body.u8("name")); c != '\0'; c = static_cast<char>(body.u8("name")))
      name += c;
    if (prefix.version < 3) body.skip((8 - (name.size() + 1) % 8) % 8);
  }
  const std::uint8_t first = body.u8("value");
  const std::uint8_t second = body.u8("value");
  if (names == std::array<std::string, 2>{"FALSE", "TRUE"}) return first == 0 && second == 1;
  return names == std::array<std::string, 2>{"TRUE", "FALSE"} && first == 1 && second == 0;
}

ElementType read_type(Cursor& body) {
  const Prefix prefix = read_prefix(body);
  ElementType type;
  type.name =
      fmt::format("{} type of {} bytes", class_names[static_cast<std::size_t>(prefix.kind)], prefix.size);
  type.size = prefix.size;
  if (prefix.kind == Class::integer || prefix.kind == Class::floating) {
    const auto big_endian = is_big_endian(prefix);
    if (big_endian)
      type.number = prefix.kind == Class::integer ? integer_of(prefix, body) : float_of(prefix, body);
    type.big_endian = big_endian.value_or(false);
  } else if (prefix.kind == Class::enumeration) {
    if (is_boolean(prefix, body)) type.number = DType::boolean;
  }
  type.opaque = prefix.kind == Class::opaque;
  type.fixed_text = prefix.kind == Class::text;
  type.variable_text = prefix.kind == Class::variable && (prefix.bits & 0x0fU) == 1;
  return type;
}

// Where a message is that is shared (specification, IV.A.1, "shared message").
std::uint64_t read_shared_place(Cursor& body, const Where& where) {
  constexpr std::uint8_t in_object = 2;
  const std::uint8_t version = body.u8("shared message version");
  const std::uint8_t place = body.u8("place of the shared message");
  if (version == 2 || (version == 3 && place == in_object))
    return body.address("address of the shared message");
  throw unsupported("an HDF5 file that shares messages between objects", where, copy_objects);
}

}  // namespace

ElementType ElementTypes::read(Cursor& body, bool shared, const std::string& path) {
  if (!shared) return read_type(body);
  const std::uint64_t address = read_shared_place(body, image_.where(path));
  const auto known = committed_.find(address);
  if (known != committed_.end()) return known->second;
  const ObjectHeader object = read_object_header(image_, address, path);
  const Message* message = object.find(MessageKind::datatype);
  if (message == nullptr || message->shared)
    throw malformed("a shared type that is none", image_.where(path, address));
  Cursor committed = body_of(image_, *message, path);
  return committed_[address] = read_type(committed);
}

std::optional<DType> dtype_of_opaque(const ElementType& type, const std::string& name) {
  const auto dtype = dtype_of_name(name);
  if (!type.opaque || !dtype || !is_opaque(*dtype) || type.size != size_of(*dtype)) return std::nullopt;
  return dtype;
}

}  // namespace tieout::hdf5
