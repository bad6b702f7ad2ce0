// Object headers: the messages that say what a group or a dataset is (specification, section IV.A).
#pragma once

#include <string>
#include <vector>

#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

// The messages that are looked at; others have other numbers.
enum class MessageKind : std::uint16_t {
  nothing = 0x00,
  dataspace = 0x01,
  link_info = 0x02,
  datatype = 0x03,
  old_fill_value = 0x04,
  fill_value = 0x05,
  link = 0x06,
  external_files = 0x07,
  layout = 0x08,
  filters = 0x0b,
  attribute = 0x0c,
  continuation = 0x10,
  symbol_table = 0x11,
  driver_information = 0x14,
  attribute_info = 0x15,
  cache_image = 0x18  // the last one that there is
};

struct Message {
  MessageKind kind = MessageKind::nothing;
  bool shared = false;  // the body only says where the message is
  std::uint64_t address = 0;
  Bytes body;
};

struct ObjectHeader {
  std::uint64_t address = 0;
  std::vector<Message> messages;

  // nullptr when there is none.
  [[nodiscard]] const Message* find(MessageKind kind) const;
};

// All blocks of the header at `address`, of either version; the checksums of version 2 are compared.
// Error(malformed) for damage, and when a message that can be there once is there twice. Error(unsupported)
// for a message that may not be ignored and is not known.
ObjectHeader read_object_header(Image& image, std::uint64_t address, const std::string& path);

// Error(unsupported) when the message is shared: all but the types that are objects of their own are so in a
// heap, in files that were made for it.
void refuse_shared(const Image& image, const Message& message, const std::string& path);

// A cursor over the message's body.
Cursor body_of(const Image& image, const Message& message, const std::string& path);

}  // namespace tieout::hdf5
