#include "containers/hdf5/read/symbol_table.h"

#include <algorithm>

#include "containers/hdf5/read/btree1.h"

namespace tieout::hdf5 {

namespace {

// The names of a group, in a local heap.
class Names {
 public:
  Names(Image& image, std::uint64_t address, const std::string& path) : image_(image), path_(path) {
    const Widths widths = image.superblock().widths;
    Cursor heap = image.block(address, 8 + 2 * std::uint64_t{widths.length} + widths.address, path);
    heap.expect("HEAP");
    heap.expect_version(0, "a local heap");
    heap.skip(3);
    const std::uint64_t size = heap.length("size of the local heap");
    heap.length("free space");
    address_ = heap.address("data of the local heap");
    names_ = image.bytes(address_, size, path);
  }

  std::string at(std::uint64_t offset) {
    Cursor cursor = image_.cursor(names_, address_, path_);
    cursor.seek(offset);
    const Bytes rest = names_.subspan(offset);
    const auto end = std::ranges::find(rest, std::byte{0});
    if (end == rest.end()) throw cursor.error("a name without an end");
    const auto size = static_cast<std::uint64_t>(end - rest.begin());
    image_.charge(size, path_);
    return std::string(cursor.take_text(size, "name"));
  }

 private:
  Image& image_;
  const std::string& path_;
  std::uint64_t address_ = 0;
  Bytes names_;
};

Link read_entry(Cursor& node, Names& names) {
  constexpr std::uint32_t soft = 2;  // cache type
  const std::uint64_t name = node.length("name");
  const std::uint64_t address = node.address("object header");
  const std::uint32_t cache = node.u32("cache type");
  node.skip(4 + 16);  // reserved, what is cached
  return {names.at(name), cache == soft ? LinkKind::soft : LinkKind::hard, address};
}

}  // namespace

std::vector<Link> read_symbol_table(Image& image, const Message& message, const std::string& path) {
  const Widths widths = image.superblock().widths;
  Cursor body = body_of(image, message, path);
  const std::uint64_t tree = body.address("B-tree of the group");
  Names names(image, body.address("names of the group"), path);
  std::vector<Link> links;
  walk_btree1(image, tree, Btree1::group, widths.length, path, [&](Cursor&, std::uint64_t address) {
    constexpr std::uint64_t prefix_size = 8;
    Cursor prefix = image.block(address, prefix_size, path);
    prefix.expect("SNOD");
    prefix.expect_version(1, "a symbol table node");
    prefix.skip(1);
    const std::uint64_t count = prefix.u16("number of symbols");
    const std::uint64_t entry_size = std::uint64_t{widths.length} + widths.address + 4 + 4 + 16;
    Cursor entries = image.block(address + prefix_size, count * entry_size, path);
    while (!entries.at_end()) links.push_back(read_entry(entries, names));
  });
  return links;
}

}  // namespace tieout::hdf5
