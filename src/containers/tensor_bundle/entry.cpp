#include "containers/tensor_bundle/entry.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "containers/protobuf/message_reader.h"
#include "containers/protobuf/message_writer.h"

namespace tieout::tensor_bundle {

namespace {

using protobuf::Field;
using protobuf::MessageReader;
using protobuf::MessageWriter;

constexpr std::uint64_t known_version = 1;
constexpr std::size_t most_axes = 254;  // TensorShape::MaxDimensions

constexpr std::array<std::pair<std::uint64_t, DType>, 19> types{{{1, DType::f32},
                                                                 {2, DType::f64},
                                                                 {3, DType::i32},
                                                                 {4, DType::u8},
                                                                 {5, DType::i16},
                                                                 {6, DType::i8},
                                                                 {8, DType::c64},
                                                                 {9, DType::i64},
                                                                 {10, DType::boolean},
                                                                 {14, DType::bf16},
                                                                 {17, DType::u16},
                                                                 {18, DType::c128},
                                                                 {19, DType::f16},
                                                                 {22, DType::u32},
                                                                 {23, DType::u64},
                                                                 {24, DType::f8_e5m2},
                                                                 {25, DType::f8_e4m3fn},
                                                                 {26, DType::f8_e4m3fnuz},
                                                                 {28, DType::f8_e5m2fnuz}}};

MessageReader reader_of(const TableEntry& entry, const Where& where) {
  return {entry.value, where, entry.offset};
}

std::int64_t signed_of(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// TensorShapeProto {2: dim {1: size}, 3: unknown_rank}.
Shape read_shape(MessageReader reader, const Where& where) {
  Shape shape;
  Field field;
  while (reader.next(field)) {
    if (field.number == 3 && field.varint() != 0) throw malformed("a tensor's shape is not known", where);
    if (field.number != 2) continue;
    std::int64_t size = 0;
    MessageReader dimension = field.message();
    Field part;
    while (dimension.next(part)) {
      if (part.number == 1) size = signed_of(part.varint());
    }
    if (size < 0) throw malformed("a tensor's shape has the size " + std::to_string(size), where);
    if (shape.size() == most_axes) throw malformed("a tensor has more than 254 axes", where);
    shape.push_back(size);
  }
  return shape;
}

Slice::Extent read_extent(MessageReader reader) {
  Slice::Extent extent;
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) extent.start = signed_of(field.varint());
    if (field.number == 2) extent.length = signed_of(field.varint());
  }
  return extent;
}

Slice read_slice(MessageReader reader) {
  Slice slice;
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) slice.extents.push_back(read_extent(field.message()));
  }
  return slice;
}

// Numbers whose bytes sort as they do (tensorflow/core/lib/strings/ordered_code.cc).
void append_ordered(std::string& out, std::uint64_t value) {
  std::string digits;
  for (; value > 0; value >>= 8) digits += static_cast<char>(value);
  out += static_cast<char>(digits.size());
  out.append(digits.rbegin(), digits.rend());
}

void append_ordered(std::string& out, const std::string& text) {
  for (const char c : text) {
    out += c;
    if (c == '\0') out += '\xFF';
    if (c == '\xFF') out += '\0';
  }
  out += std::string_view("\0\1", 2);
}

// Seven bits a byte. The first bits are the sign turned over and, for each further byte, once more.
void append_ordered_signed(std::string& out, std::int64_t value) {
  const auto magnitude = static_cast<std::uint64_t>(value < 0 ? ~value : value);
  const auto length = static_cast<std::size_t>(std::bit_width(magnitude)) / 7 + 1;
  std::string bytes(10, value < 0 ? '\xFF' : '\0');
  for (std::size_t i = 0; i < 8; ++i)
    bytes[9 - i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  std::string_view last = std::string_view(bytes).substr(10 - length);
  // `length` ones from the top of the first two bytes.
  const std::uint32_t header = 0xFFFF0000U >> length & 0xFFFF;
  out += static_cast<char>(static_cast<unsigned char>(last[0]) ^ (header >> 8));
  if (length > 1) out += static_cast<char>(static_cast<unsigned char>(last[1]) ^ (header & 0xFF));
  if (length > 2) out += last.substr(2);
}

}  // namespace

std::uint64_t read_header(const TableEntry& entry, const Where& where) {
  std::uint64_t shards = 0;
  MessageReader reader = reader_of(entry, where);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) shards = field.varint();
    if (field.number == 2 && field.varint() != 0) {
      throw unsupported("the checkpoint was written on a big-endian machine", where,
                        "read it with TensorFlow on a little-endian one and save it again");
    }
    if (field.number != 3) continue;
    MessageReader version = field.message();
    Field part;
    while (version.next(part)) {
      if (part.number == 2 && part.varint() > known_version) {
        throw unsupported(
            "the checkpoint's format asks for a reader of version " + std::to_string(part.varint()), where,
            "save it with another version of TensorFlow");
      }
    }
  }
  if (shards == 0) throw malformed("the checkpoint has no data files", where);
  return shards;
}

std::string header_of(std::uint64_t shards) {
  MessageWriter version;
  version.varint(1, known_version);
  MessageWriter header;
  header.varint(1, shards);
  header.bytes(3, version.text());
  return header.text();
}

std::string Slice::key(const std::string& name) const {
  std::string key;
  append_ordered(key, std::uint64_t{0});
  append_ordered(key, name);
  append_ordered(key, extents.size());
  for (const Extent& extent : extents) {
    append_ordered_signed(key, extent.start);
    append_ordered_signed(key, extent.length);
  }
  return key;
}

BundleEntry read_entry(const TableEntry& entry, const Where& where) {
  BundleEntry read;
  MessageReader reader = reader_of(entry, where);
  Field field;
  while (reader.next(field)) {
    switch (field.number) {
      case 1:
        read.type = field.varint();
        break;
      case 2:
        read.shape = read_shape(field.message(), where);
        break;
      case 3:
        read.shard = field.varint();
        break;
      case 4:
        read.offset = field.varint();
        break;
      case 5:
        read.size = field.varint();
        break;
      case 6:
        read.crc = field.fixed32();
        break;
      case 7:
        read.slices.push_back(read_slice(field.message()));
        break;
      default:
        break;
    }
  }
  return read;
}

std::string to_proto(const BundleEntry& entry) {
  MessageWriter shape;
  for (const std::int64_t size : entry.shape) {
    MessageWriter dimension;
    if (size != 0) dimension.varint(1, static_cast<std::uint64_t>(size));
    shape.bytes(2, dimension.text());
  }
  MessageWriter proto;
  proto.varint(1, entry.type);
  proto.bytes(2, shape.text());
  if (entry.shard != 0) proto.varint(3, entry.shard);
  if (entry.offset != 0) proto.varint(4, entry.offset);
  if (entry.size != 0) proto.varint(5, entry.size);
  if (entry.crc != 0) proto.fixed32(6, entry.crc);
  return proto.text();
}

std::optional<DType> dtype_of_type(std::uint64_t type) {
  const auto* found = std::ranges::find(types, type, &std::pair<std::uint64_t, DType>::first);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t type_of_dtype(DType dtype) {
  const auto* found = std::ranges::find(types, dtype, &std::pair<std::uint64_t, DType>::second);
  if (found == types.end())
    throw unsupported("TensorFlow has no type " + std::string(to_string(dtype)), {},
                      "round the weights with --dtype, or name another format");
  return found->first;
}

}  // namespace tieout::tensor_bundle
