// The innermost loop of a rearrangement: a tile is turned in a small buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tieout {

// A tile of units of `unit` bytes: unit (i, j) is at source + down[i] + across[j].
struct TurnedTile {
  std::int64_t unit;
  const std::byte* source;
  std::span<const std::int64_t> down;
  std::span<const std::int64_t> across;
};

// Writes unit (i, j) to rows + i x pitch + j x unit. `rows` holds down.size() rows of at least across.size()
// units and begins at any address.
void turn(const TurnedTile& tile, std::byte* rows, std::int64_t pitch);

}  // namespace tieout
