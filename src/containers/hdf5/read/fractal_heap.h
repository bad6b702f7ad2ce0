// Fractal heaps: where dense groups keep their links and objects their many or large attributes
// (specification, III.G).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "containers/hdf5/read/image.h"

namespace tieout::hdf5 {

class FractalHeap {
 public:
  // Finds all blocks of the heap whose header is at `address`. `image` and `path` must live as long as this.
  // Error(malformed) for damage, Error(unsupported) for a heap that is compressed.
  FractalHeap(Image& image, std::uint64_t address, const std::string& path);

  // The object that a record of the heap's index names. Its id has id_size() bytes.
  Cursor object(Bytes id);
  [[nodiscard]] std::size_t id_size() const { return id_size_; }

 private:
  // A piece of the heap's own address space.
  struct Block {
    std::uint64_t offset;
    std::uint64_t size;
    std::uint64_t address;  // in the file
  };
  struct Rows {
    std::uint64_t address;
    std::uint64_t offset;
    unsigned count;
  };

  void read_header(std::uint64_t address);
  void read_table(Cursor& header);
  [[nodiscard]] unsigned rows_of(std::uint64_t size) const;
  void list_blocks(const Rows& root);
  void list_rows(const Rows& rows, std::vector<Rows>& open);
  void add_block(const Block& block);
  Cursor managed_object(Bytes id, std::uint64_t id_address);
  Cursor large_object(Bytes id, std::uint64_t id_address);

  Image& image_;
  const std::string& path_;
  std::uint64_t address_;
  std::size_t id_size_ = 0;
  bool blocks_have_checksums_ = false;
  std::uint64_t max_object_ = 0;     // bytes of one that lies in a block
  std::uint64_t large_objects_ = 0;  // address of the B-tree of the others
  // The doubling table: rows of `width_` blocks, of start_, start_, 2 start_, 4 start_, ... bytes; those
  // beyond max_direct_ bytes are tables again.
  unsigned width_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t max_direct_ = 0;
  unsigned offset_bits_ = 0;  // of an offset in the heap
  std::vector<Block> blocks_;
  std::optional<std::map<std::uint64_t, Block>> large_;  // by number; read when first asked for
};

}  // namespace tieout::hdf5
