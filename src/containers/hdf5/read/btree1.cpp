#include "containers/hdf5/read/btree1.h"

#include <optional>
#include <vector>

#include <fmt/format.h>

namespace tieout::hdf5 {

void walk_btree1(Image& image, std::uint64_t root, Btree1 type, std::uint64_t key_size,
                 const std::string& path, const std::function<void(Cursor& key, std::uint64_t child)>& see) {
  const Widths widths = image.superblock().widths;
  const std::uint64_t prefix_size = 4 + 1 + 1 + 2 + 2 * std::uint64_t{widths.address};
  struct Node {
    std::uint64_t address;
    std::optional<int> level;  // the root says its own
  };
  std::vector<Node> open{{root, {}}};
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    Cursor prefix = image.block(node.address, prefix_size, path);
    prefix.expect("TREE");
    const std::uint8_t found = prefix.u8("node type");
    if (found != static_cast<std::uint8_t>(type))
      throw prefix.error(fmt::format("a B-tree node of type {}", found));
    const int level = prefix.u8("node level");
    if (node.level && level != *node.level)
      throw prefix.error(
          fmt::format("a B-tree node of level {} where one of {} was expected", level, *node.level));
    const std::uint64_t count = prefix.u16("number of entries");
    const std::uint64_t entries_size = count * (key_size + widths.address);
    Cursor entries = image.block(node.address + prefix_size, entries_size, path);
    for (std::uint64_t k = 0; k < count; ++k) {
      const std::uint64_t key_address = node.address + prefix_size + entries.position();
      Cursor key = image.cursor(entries.take(key_size, "key"), key_address, path);
      const std::uint64_t child = entries.address("child");
      if (level == 0) {
        see(key, child);
      } else {
        open.push_back({child, level - 1});
      }
    }
  }
}

}  // namespace tieout::hdf5
