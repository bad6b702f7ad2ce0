// How a loop over a tensor is cut into tiles in which both the source and the target are read and written in
// runs of whole cache lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/strided_loop.h"

namespace tieout {

// Bytes.
struct Offset {
  std::int64_t source = 0;
  std::int64_t target = 0;
};

// Where places of a run lie, in bytes from where place 0 does.
struct Places {
  std::vector<std::int64_t> sources;
  std::vector<std::int64_t> targets;
};

// Levels of a loop taken as one long level of `length` places, row by row.
class Run {
 public:
  struct Level {
    std::int64_t size = 1;
    Offset step;
  };

  // The new level is the outermost one.
  void append(const Level& level);
  [[nodiscard]] std::int64_t length() const { return length_; }
  // Whether each place lies `unit` bytes behind the one before it.
  [[nodiscard]] bool dense_in_target(std::int64_t unit) const;
  [[nodiscard]] Offset find(std::int64_t place) const;
  // Places [first, first + count).
  void find(std::int64_t first, std::int64_t count, Places& places) const;

 private:
  std::vector<Level> levels_;  // innermost first
  std::int64_t length_ = 1;
};

// A loop as outer x across x down, all of units of `unit` bytes that lie together on both sides: `down` has
// the levels that lie together or close by in the source, `across` those that lie together in the target. A
// tile is down_block x across_block units. Long units are no tiles: all levels are outer ones then.
struct Tiling {
  std::int64_t unit = 1;
  Offset base;
  Run outer;
  Run across;
  Run down;
  std::int64_t across_block = 1;
  std::int64_t down_block = 1;

  [[nodiscard]] bool long_units() const { return unit >= 512; }
  [[nodiscard]] std::int64_t across_tiles() const {
    return (across.length() + across_block - 1) / across_block;
  }
  [[nodiscard]] std::int64_t down_tiles() const { return (down.length() + down_block - 1) / down_block; }
  // Tile k is down tile k % down_tiles() and so on: it lies beside tile k - 1 in the source.
  [[nodiscard]] std::int64_t tiles() const { return outer.length() * across_tiles() * down_tiles(); }
};

// `loop` has no level of size 0.
Tiling tile(const StridedLoop& loop, std::size_t element_size);

}  // namespace tieout
