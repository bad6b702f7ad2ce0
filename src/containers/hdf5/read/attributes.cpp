#include "containers/hdf5/read/attributes.h"

#include <cstring>
#include <set>

#include <fmt/format.h>

#include "base/checked.h"
#include "containers/hdf5/read/btree2.h"
#include "containers/hdf5/read/dataspace.h"
#include "containers/hdf5/read/fractal_heap.h"

namespace tieout::hdf5 {

namespace {

// Keras splits its lists into attributes of 64 KiB; a hundred of them name 50,000 layers.
constexpr std::size_t max_attributes = 10000;

// What an attribute message begins with (specification, IV.A.2.m).
struct Prefix {
  std::uint8_t version;
  bool shared_type;
  bool shared_space;
  std::uint64_t name_size;
  std::uint64_t type_size;
  std::uint64_t space_size;
};

Prefix read_prefix(Cursor& message) {
  Prefix prefix{};
  prefix.version = message.u8("attribute version");
  if (prefix.version < 1 || prefix.version > 3)
    throw message.error(fmt::format("an attribute of version {}; 1 to 3 are known", prefix.version));
  const std::uint8_t flags = message.u8("attribute flags");
  prefix.shared_type = prefix.version > 1 && (flags & 1U) != 0;
  prefix.shared_space = prefix.version > 1 && (flags & 2U) != 0;
  prefix.name_size = message.u16("size of the name");
  prefix.type_size = message.u16("size of the type");
  prefix.space_size = message.u16("size of the shape");
  if (prefix.version == 3) message.skip(1);  // character set
  return prefix;
}

// A part of the message; version 1 pads each to 8 bytes.
Bytes take_part(Cursor& message, const Prefix& prefix, std::uint64_t size) {
  const Bytes part = message.take(size, "part of an attribute");
  if (prefix.version == 1) message.skip((8 - size % 8) % 8);
  return part;
}

std::string take_name(Cursor& message, const Prefix& prefix) {
  const Bytes part = take_part(message, prefix, prefix.name_size);
  const auto* text = reinterpret_cast<const char*>(part.data());
  return {text, strnlen(text, part.size())};
}

// Specification, IV.A.2.v. An object with few attributes has them in its header, and no heap.
void add_dense(Image& image, const Message& info, const std::string& path, std::vector<Cursor>& messages) {
  Cursor body = body_of(image, info, path);
  body.expect_version(0, "an object's attribute information");
  if ((body.u8("attribute information flags") & 1U) != 0) body.skip(2);  // the largest creation order
  const std::uint64_t heap_address = body.address("heap of attributes");
  const std::uint64_t index = body.address("index of attributes");
  if (heap_address == no_address) return;
  FractalHeap heap(image, heap_address, path);
  walk_btree2(image, index, Btree2::attribute_names, path, [&](Cursor& record) {
    const Bytes id = record.take(heap.id_size(), "heap id");
    if ((record.u8("message flags") & 2U) != 0)
      throw unsupported("an HDF5 file that shares messages between objects", image.where(path, info.address),
                        copy_objects);
    messages.push_back(heap.object(id));
  });
}

}  // namespace

std::vector<Cursor> attribute_messages(Image& image, const ObjectHeader& object, const std::string& path) {
  std::vector<Cursor> messages;
  for (const Message& message : object.messages) {
    if (message.kind == MessageKind::attribute) {
      refuse_shared(image, message, path);
      messages.push_back(body_of(image, message, path));
    } else if (message.kind == MessageKind::attribute_info) {
      add_dense(image, message, path, messages);
    }
  }
  if (messages.size() > max_attributes)
    throw malformed(fmt::format("an object with {} attributes", messages.size()),
                    image.where(path, object.address));
  return messages;
}

std::string attribute_name(Cursor message) {
  const Prefix prefix = read_prefix(message);
  return take_name(message, prefix);
}

std::vector<Attribute> AttributeReader::read(const ObjectHeader& object, const std::string& path) {
  std::vector<Attribute> attributes;
  std::set<std::string> names;
  for (Cursor& message : attribute_messages(image_, object, path)) {
    std::optional<Attribute> attribute = read_one(message, path);
    if (!attribute) continue;
    if (!names.insert(attribute->name).second)
      throw malformed(fmt::format("two attributes named {}", attribute->name),
                      image_.where(path, object.address));
    attributes.push_back(std::move(*attribute));
  }
  return attributes;
}

// Nothing when the attribute holds no text.
std::optional<Attribute> AttributeReader::read_one(Cursor& message, const std::string& path) {
  const Prefix prefix = read_prefix(message);
  Attribute attribute{take_name(message, prefix), {}};
  const auto part = [&](std::uint64_t size) {
    const std::uint64_t address = message.offset() - image_.superblock().start;
    return image_.cursor(take_part(message, prefix, size), address, path);
  };
  Cursor type_body = part(prefix.type_size);
  const ElementType type = types_.read(type_body, prefix.shared_type, path);
  Cursor space_body = part(prefix.space_size);
  if (prefix.shared_space)
    throw unsupported("an HDF5 file that shares messages between objects", image_.where(path), copy_objects);
  const std::uint64_t count = element_count(read_dataspace(space_body), space_body);
  if (count == 0) return attribute;
  if (type.fixed_text) {
    attribute.texts = fixed_texts(message, count, type.size);
  } else if (type.variable_text) {
    attribute.texts = variable_texts(message, count, path);
  } else {
    return std::nullopt;
  }
  return attribute;
}

std::vector<std::string> AttributeReader::fixed_texts(Cursor& data, std::uint64_t count, std::uint64_t size) {
  if (count > data.remaining() / size)
    throw data.error(fmt::format("an attribute cut short: {} texts stated", count));
  std::vector<std::string> texts;
  for (std::uint64_t k = 0; k < count; ++k) {
    const auto* text = reinterpret_cast<const char*>(data.take(size, "text").data());
    texts.emplace_back(text, strnlen(text, size));
  }
  return texts;
}

// Each is its length and its place in the global heap (specification, III.E and IV.B).
std::vector<std::string> AttributeReader::variable_texts(Cursor& data, std::uint64_t count,
                                                         const std::string& path) {
  const std::uint64_t reference_size = 4 + std::uint64_t{data.widths().address} + 4;
  if (count > data.remaining() / reference_size)
    throw data.error(fmt::format("an attribute cut short: {} texts stated", count));
  std::vector<std::string> texts;
  for (std::uint64_t k = 0; k < count; ++k) {
    const std::uint32_t length = data.u32("length of a text");
    const std::uint64_t address = data.address("place of a text");
    const std::uint32_t index = data.u32("index of a text");
    if (length == 0) {
      texts.emplace_back();
      continue;
    }
    const Bytes object = heap_.object(address, index, path);
    if (object.size() < length)
      throw data.error(fmt::format("a text of {} bytes in {}", length, object.size()));
    image_.charge(length, path);
    const auto* text = reinterpret_cast<const char*>(object.data());
    texts.emplace_back(text, strnlen(text, length));
  }
  return texts;
}

}  // namespace tieout::hdf5
