#include "containers/hdf5/read/object_header.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace tieout::hdf5 {

namespace {

// Flags of a message.
constexpr std::uint8_t is_shared = 0x02;
constexpr std::uint8_t must_be_known = 0x80;
// Flags of a header of version 2.
constexpr std::uint8_t size_bits = 0x03;
constexpr std::uint8_t tracks_order = 0x04;
constexpr std::uint8_t stores_phase_change = 0x10;
constexpr std::uint8_t stores_times = 0x20;

bool may_repeat(MessageKind kind) {
  return kind == MessageKind::nothing || kind == MessageKind::link || kind == MessageKind::attribute ||
         kind == MessageKind::continuation || kind > MessageKind::cache_image;
}

class HeaderReader {
 public:
  HeaderReader(Image& image, std::uint64_t address, const std::string& path) : image_(image), path_(path) {
    header_.address = address;
  }

  ObjectHeader read() {
    const bool new_version = image_.from(header_.address, path_).u8("object header") == 'O';
    if (new_version) {
      read_new();
    } else {
      read_old();
    }
    check_repeats();
    return std::move(header_);
  }

 private:
  struct Block {
    std::uint64_t address;
    std::uint64_t size;
  };

  // A block may continue in another one that continues in the first: each is charged for, so that ends.
  void read_old() {
    constexpr std::uint64_t prefix_size = 16;
    Cursor prefix = image_.block(header_.address, prefix_size, path_);
    prefix.expect_version(1, "an object header");
    prefix.skip(1 + 2 + 4);  // reserved, number of messages, number of links
    const std::uint64_t size = prefix.u32("size of the header");
    continuations_.push_back({header_.address + prefix_size, size});
    for (std::size_t k = 0; k < continuations_.size(); ++k) {
      const auto [address, block_size] = continuations_[k];
      Cursor block = image_.block(address, block_size, path_);
      while (!block.at_end()) {
        const std::uint16_t kind = block.u16("message type");
        const std::uint16_t message_size = block.u16("message size");
        const std::uint8_t flags = block.u8("message flags");
        block.skip(3);
        add(block, address, kind, message_size, flags);
      }
    }
  }

  void read_new() {
    Cursor prefix = image_.from(header_.address, path_);
    prefix.expect("OHDR");
    prefix.expect_version(2, "an object header");
    const std::uint8_t flags = prefix.u8("header flags");
    if ((flags & stores_times) != 0) prefix.skip(16);
    if ((flags & stores_phase_change) != 0) prefix.skip(4);
    const std::uint64_t size = prefix.number(std::size_t{1} << (flags & size_bits), "size of the header");
    if (size > image_.size()) throw prefix.error(fmt::format("an object header of {} bytes", size));
    const std::uint64_t begin = prefix.position();
    Cursor first = image_.checked_block(header_.address, begin + size + 4, "OHDR", path_);
    first.skip(begin - 4);
    order_size_ = (flags & tracks_order) != 0 ? 2 : 0;
    read_new_block(first, header_.address + 4);
    for (std::size_t k = 0; k < continuations_.size(); ++k) {
      const auto [address, block_size] = continuations_[k];
      Cursor block = image_.checked_block(address, block_size, "OCHK", path_);
      read_new_block(block, address + 4);
    }
  }

  // Fewer bytes than a message takes are a gap.
  void read_new_block(Cursor& block, std::uint64_t address) {
    const std::uint64_t message_prefix = 4 + order_size_;
    while (block.remaining() >= message_prefix) {
      const std::uint8_t kind = block.u8("message type");
      const std::uint16_t size = block.u16("message size");
      const std::uint8_t flags = block.u8("message flags");
      block.skip(order_size_);
      add(block, address, kind, size, flags);
    }
  }

  void add(Cursor& block, std::uint64_t block_address, std::uint16_t kind, std::uint16_t size,
           std::uint8_t flags) {
    Message message{
        static_cast<MessageKind>(kind), (flags & is_shared) != 0, block_address + block.position(), {}};
    message.body = block.take(size, "message");
    if (message.kind > MessageKind::cache_image && (flags & must_be_known) != 0) {
      throw unsupported(fmt::format("an HDF5 object with a message of the unknown type {}", kind),
                        image_.where(path_, message.address));
    }
    if (message.kind == MessageKind::continuation) {
      Cursor body = body_of(image_, message, path_);
      const std::uint64_t address = body.address("address of more messages");
      continuations_.push_back({address, body.length("size of more messages")});
    } else if (message.kind != MessageKind::nothing) {
      header_.messages.push_back(message);
    }
  }

  void check_repeats() const {
    std::set<MessageKind> seen;
    for (const Message& message : header_.messages) {
      if (may_repeat(message.kind) || seen.insert(message.kind).second) continue;
      throw malformed(
          fmt::format("an object with two messages of the type {}", static_cast<int>(message.kind)),
          image_.where(path_, message.address));
    }
  }

  Image& image_;
  const std::string& path_;
  ObjectHeader header_;
  std::size_t order_size_ = 0;
  std::vector<Block> continuations_;
};

}  // namespace

const Message* ObjectHeader::find(MessageKind kind) const {
  const auto found = std::ranges::find(messages, kind, &Message::kind);
  return found == messages.end() ? nullptr : &*found;
}

ObjectHeader read_object_header(Image& image, std::uint64_t address, const std::string& path) {
  return HeaderReader(image, address, path).read();
}

void refuse_shared(const Image& image, const Message& message, const std::string& path) {
  if (message.shared)
    throw unsupported("an HDF5 file that shares messages between objects", image.where(path, message.address),
                      copy_objects);
}

Cursor body_of(const Image& image, const Message& message, const std::string& path) {
  return image.cursor(message.body, message.address, path);
}

}  // namespace tieout::hdf5
