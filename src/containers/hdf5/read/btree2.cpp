#include "containers/hdf5/read/btree2.h"

#include <bit>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"

namespace tieout::hdf5 {

namespace {

constexpr std::uint64_t node_prefix_size = 4 + 1 + 1;  // signature, version, type
constexpr std::uint64_t checksum_size = 4;
constexpr unsigned max_depth = 32;

// Bytes that a number up to `most` takes (H5VM_limit_enc_size).
std::uint64_t bytes_for(std::uint64_t most) {
  return most == 0 ? 1 : static_cast<std::uint64_t>(std::bit_width(most) - 1) / 8 + 1;
}

class Walk {
 public:
  Walk(Image& image, std::uint64_t header, Btree2 type, const std::string& path)
      : image_(image), type_(type), path_(path) {
    read_header(header);
  }

  void each_record(const std::function<void(Cursor& record)>& see) {
    if (total_ == 0) return;
    std::uint64_t seen = 0;
    std::vector<Node> open{root_};
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      read_node(node, see, open);
      seen += node.records;
    }
    if (seen != total_)
      throw malformed(fmt::format("a B-tree of {} records that should have {}", seen, total_),
                      image_.where(path_, root_.address));
  }

 private:
  struct Node {
    std::uint64_t address;
    std::uint64_t records;
    std::size_t depth;  // 0 for a leaf
  };
  // What is known of the nodes of one depth.
  struct Level {
    std::uint64_t most_records;  // in a node
    std::uint64_t most_below;    // in it and all nodes below
    std::uint64_t pointer_size;  // of its pointers to the nodes below
    std::uint64_t total_size;    // of the number of all records there, which stands in such a pointer
  };

  void read_header(std::uint64_t address) {
    const Widths widths = image_.superblock().widths;
    const std::uint64_t size =
        4 + 1 + 1 + 4 + 2 + 2 + 1 + 1 + widths.address + 2 + widths.length + checksum_size;
    Cursor header = image_.checked_block(address, size, "BTHD", path_);
    check_kind(header);
    const std::uint32_t node_size = header.u32("node size");
    record_size_ = header.u16("record size");
    const std::uint16_t depth = header.u16("depth");
    header.skip(2);  // when nodes are split and joined
    root_.address = header.address("root node");
    root_.records = header.u16("number of records in the root");
    root_.depth = depth;
    total_ = header.length("number of records");
    if (record_size_ == 0 || depth > max_depth)
      throw header.error(fmt::format("a B-tree of depth {} with records of {} bytes", depth, record_size_));
    add_levels(node_size, depth, header);
  }

  void check_kind(Cursor& node) const {
    node.expect_version(0, "a B-tree");
    const std::uint8_t type = node.u8("B-tree type");
    if (type == static_cast<std::uint8_t>(type_)) return;
    throw node.error(fmt::format("a B-tree of type {}; {} was expected", type, static_cast<int>(type_)));
  }

  // H5B2__hdr_init.
  void add_levels(std::uint64_t node_size, std::size_t depth, const Cursor& header) {
    const std::uint64_t overhead = node_prefix_size + checksum_size;
    if (node_size < overhead + record_size_) throw header.error("B-tree nodes too small for a record");
    const std::uint64_t most = (node_size - overhead) / record_size_;
    levels_.push_back({most, most, 0, 0});
    count_size_ = bytes_for(most);
    for (std::size_t d = 1; d <= depth; ++d) {
      const Level& below = levels_.back();
      Level level{};
      level.total_size = d == 1 ? 0 : bytes_for(below.most_below);
      level.pointer_size = image_.superblock().widths.address + count_size_ + level.total_size;
      if (node_size < overhead + level.pointer_size + record_size_)
        throw header.error("B-tree nodes too small for a record");
      level.most_records = (node_size - overhead - level.pointer_size) / (record_size_ + level.pointer_size);
      const auto children = checked_mul(level.most_records + 1, below.most_below);
      const auto all = children ? checked_add(*children, level.most_records) : std::nullopt;
      if (!all) throw header.error("a B-tree of more records than can be counted");
      level.most_below = *all;
      levels_.push_back(level);
    }
  }

  void read_node(const Node& node, const std::function<void(Cursor& record)>& see, std::vector<Node>& open) {
    const Level& level = levels_[node.depth];
    if (node.records > level.most_records)
      throw malformed(fmt::format("a B-tree node of {} records; {} fit", node.records, level.most_records),
                      image_.where(path_, node.address));
    const std::uint64_t pointers = node.depth == 0 ? 0 : node.records + 1;
    const std::uint64_t size =
        node_prefix_size + node.records * record_size_ + pointers * level.pointer_size + checksum_size;
    Cursor content = image_.checked_block(node.address, size, node.depth == 0 ? "BTLF" : "BTIN", path_);
    check_kind(content);
    for (std::uint64_t k = 0; k < node.records; ++k) {
      const std::uint64_t address = node.address + 4 + content.position();
      Cursor record = image_.cursor(content.take(record_size_, "record"), address, path_);
      see(record);
    }
    for (std::uint64_t k = 0; k < pointers; ++k) {
      const std::uint64_t child = content.address("child");
      const std::uint64_t records = content.number(count_size_, "number of records");
      content.skip(level.total_size);
      open.push_back({child, records, node.depth - 1});
    }
  }

  Image& image_;
  Btree2 type_;
  const std::string& path_;
  std::uint64_t record_size_ = 0;
  std::uint64_t count_size_ = 0;  // of the number of records that a pointer states
  std::vector<Level> levels_;     // by depth
  Node root_{};
  std::uint64_t total_ = 0;
};

}  // namespace

void walk_btree2(Image& image, std::uint64_t header, Btree2 type, const std::string& path,
                 const std::function<void(Cursor& record)>& see) {
  Walk(image, header, type, path).each_record(see);
}

}  // namespace tieout::hdf5
