#include "containers/hdf5/read/links.h"

#include <set>
#include <string_view>

#include <fmt/format.h>

#include "containers/hdf5/read/btree2.h"
#include "containers/hdf5/read/fractal_heap.h"
#include "containers/hdf5/read/symbol_table.h"
#include "containers/utf8.h"

namespace tieout::hdf5 {

namespace {

// Flags of a link message.
constexpr std::uint8_t size_bits = 0x03;
constexpr std::uint8_t stores_order = 0x04;
constexpr std::uint8_t stores_kind = 0x08;
constexpr std::uint8_t stores_charset = 0x10;

// Specification, IV.A.2.g.
Link read_link(Cursor& body) {
  Link link;
  body.expect_version(1, "a link");
  const std::uint8_t flags = body.u8("link flags");
  const std::uint8_t kind = (flags & stores_kind) != 0 ? body.u8("kind of link") : 0;
  if ((flags & stores_order) != 0) body.skip(8);
  if ((flags & stores_charset) != 0) body.skip(1);
  const std::uint64_t size = body.number(std::size_t{1} << (flags & size_bits), "size of the name");
  link.name = body.take_text(size, "name");
  if (kind == 0) {
    link.address = body.address("object header");
  } else {
    link.kind = kind == 1 ? LinkKind::soft : LinkKind::elsewhere;
  }
  return link;
}

// Specification, IV.A.2.c. A group with few links has them in its header, and no heap.
void add_dense_links(Image& image, const Message& message, const std::string& path,
                     std::vector<Link>& links) {
  Cursor body = body_of(image, message, path);
  body.expect_version(0, "a group's link information");
  if ((body.u8("link information flags") & 1U) != 0) body.skip(8);  // the largest creation order
  const std::uint64_t heap_address = body.address("heap of the group");
  const std::uint64_t index = body.address("index of the group");
  if (heap_address == no_address) return;
  FractalHeap heap(image, heap_address, path);
  walk_btree2(image, index, Btree2::link_names, path, [&](Cursor& record) {
    record.skip(4);  // the name's hash
    Cursor link = heap.object(record.take(heap.id_size(), "heap id"));
    links.push_back(read_link(link));
  });
}

void check_names(const std::vector<Link>& links, const Where& where) {
  std::set<std::string_view> names;
  for (const Link& link : links) {
    const bool good =
        !link.name.empty() && link.name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
    if (!good || !is_utf8(link.name)) throw malformed("a member whose name cannot be one", where);
    if (!names.insert(link.name).second)
      throw malformed(fmt::format("two members named {}", link.name), where);
  }
}

}  // namespace

bool is_group(const ObjectHeader& object) {
  return object.find(MessageKind::symbol_table) != nullptr || object.find(MessageKind::link_info) != nullptr;
}

std::vector<Link> read_links(Image& image, const ObjectHeader& group, const std::string& path) {
  std::vector<Link> links;
  for (const Message& message : group.messages) {
    if (message.kind == MessageKind::symbol_table) {
      std::vector<Link> old = read_symbol_table(image, message, path);
      links.insert(links.end(), old.begin(), old.end());
    } else if (message.kind == MessageKind::link_info) {
      add_dense_links(image, message, path, links);
    } else if (message.kind == MessageKind::link) {
      Cursor body = body_of(image, message, path);
      links.push_back(read_link(body));
    }
  }
  check_names(links, image.where(path, group.address));
  return links;
}

}  // namespace tieout::hdf5
