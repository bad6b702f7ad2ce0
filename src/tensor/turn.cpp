#include "tensor/turn.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace tieout {

namespace {

// Registers of 16 bytes, which every 64-bit processor has: wider ones measured no faster, since the memory is
// what is waited for. The compiler turns the shuffles into the processor's own interleaving instructions.
template <typename Unit>
struct Register;
template <>
struct Register<std::uint8_t> {
  using Type [[gnu::vector_size(16)]] = std::uint8_t;
  static Type low(Type a, Type b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  static Type high(Type a, Type b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
};
template <>
struct Register<std::uint16_t> {
  using Type [[gnu::vector_size(16)]] = std::uint16_t;
  static Type low(Type a, Type b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
  static Type high(Type a, Type b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
};
template <>
struct Register<std::uint32_t> {
  using Type [[gnu::vector_size(16)]] = std::uint32_t;
  static Type low(Type a, Type b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  static Type high(Type a, Type b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
};
template <>
struct Register<std::uint64_t> {
  using Type [[gnu::vector_size(16)]] = std::uint64_t;
  static Type low(Type a, Type b) { return __builtin_shufflevector(a, b, 0, 2); }
  static Type high(Type a, Type b) { return __builtin_shufflevector(a, b, 1, 3); }
};

// Rows of the source that are asked for before their turn: their lines come from memory meanwhile.
constexpr std::size_t rows_ahead = 16;
constexpr std::int64_t line = 64;

// What a tile's rows in the source consist of.
struct Rows {
  std::vector<std::int64_t> lines;   // an offset within each cache line
  std::vector<std::size_t> squares;  // places where `width` units lie together
  std::vector<std::size_t> singles;  // all other places
};

void look_through(const TurnedTile& tile, std::size_t width, Rows& rows) {
  rows.lines.clear();
  rows.squares.clear();
  rows.singles.clear();
  const auto& down = tile.down;
  for (const std::int64_t place : down) {
    if (rows.lines.empty() || place - rows.lines.back() >= line) rows.lines.push_back(place);
  }
  for (std::size_t i = 0; i < down.size();) {
    std::size_t together = 1;
    while (together < width && i + together < down.size() &&
           down[i + together] == down[i + together - 1] + tile.unit) {
      ++together;
    }
    if (together == width) {
      rows.squares.push_back(i);
      i += width;
    } else {
      rows.singles.push_back(i);
      ++i;
    }
  }
}

// Inlined, since gcc drops calls of a function that does nothing but ask.
[[gnu::always_inline]] inline void ask_for(const std::byte* row, const std::vector<std::int64_t>& lines) {
  for (const std::int64_t place : lines) __builtin_prefetch(row + place);
}

// A square of `width` x `width` units: interleaving the first half of the registers with the second one, as
// often as it takes for each unit to have come by, transposes it.
template <typename Unit, std::size_t width = 16 / sizeof(Unit)>
void turn_square(const std::array<const std::byte*, width>& sources, std::int64_t from, std::byte* rows,
                 std::int64_t pitch) {
  using Vector = typename Register<Unit>::Type;
  Vector now[width];
#pragma GCC unroll 16
  for (std::size_t j = 0; j < width; ++j) std::memcpy(&now[j], sources[j] + from, 16);
#pragma GCC unroll 4
  for (std::size_t step = 1; step < width; step *= 2) {
    Vector next[width];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < width / 2; ++j) {
      next[2 * j] = Register<Unit>::low(now[j], now[j + width / 2]);
      next[2 * j + 1] = Register<Unit>::high(now[j], now[j + width / 2]);
    }
#pragma GCC unroll 16
    for (std::size_t j = 0; j < width; ++j) now[j] = next[j];
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < width; ++i) {
    std::memcpy(rows + static_cast<std::int64_t>(i) * pitch, &now[i], 16);
  }
}

// Units [i0, i1) x [j0, j1), one after another, the longer way inside. `Unit` has the size of one, which the
// compiler then knows.
template <typename Unit>
void turn_units(const TurnedTile& tile, std::size_t i0, std::size_t i1, std::size_t j0, std::size_t j1,
                std::byte* rows, std::int64_t pitch) {
  const std::int64_t* down = tile.down.data();
  const std::int64_t* across = tile.across.data();
  if (j1 - j0 >= i1 - i0) {
    for (std::size_t i = i0; i < i1; ++i) {
      const std::byte* source = tile.source + down[i];
      std::byte* row = rows + static_cast<std::int64_t>(i) * pitch;
      for (std::size_t j = j0; j < j1; ++j) {
        std::memcpy(row + j * sizeof(Unit), source + across[j], sizeof(Unit));
      }
    }
    return;
  }
  for (std::size_t j = j0; j < j1; ++j) {
    const std::byte* source = tile.source + across[j];
    std::byte* column = rows + j * sizeof(Unit);
    for (std::size_t i = i0; i < i1; ++i) {
      std::memcpy(column + static_cast<std::int64_t>(i) * pitch, source + down[i], sizeof(Unit));
    }
  }
}

template <typename Unit>
void turn_squares(const TurnedTile& tile, std::byte* rows, std::int64_t pitch) {
  constexpr std::size_t width = 16 / sizeof(Unit);
  thread_local Rows parts;
  const std::size_t wide = tile.across.size();
  look_through(tile, width, parts);
  const std::size_t whole_wide = parts.squares.empty() ? 0 : wide - wide % width;
  for (std::size_t j = 0; j < std::min(rows_ahead, whole_wide); ++j) {
    ask_for(tile.source + tile.across[j], parts.lines);
  }
  for (std::size_t j = 0; j < whole_wide; j += width) {
    std::array<const std::byte*, width> sources;
    for (std::size_t k = 0; k < width; ++k) {
      sources[k] = tile.source + tile.across[j + k];
      if (j + k + rows_ahead < wide) ask_for(tile.source + tile.across[j + k + rows_ahead], parts.lines);
    }
    std::byte* into = rows + j * sizeof(Unit);
    for (const std::size_t i : parts.squares) {
      turn_square<Unit>(sources, tile.down[i], into + static_cast<std::int64_t>(i) * pitch, pitch);
    }
  }
  if (whole_wide > 0) {
    for (const std::size_t i : parts.singles) turn_units<Unit>(tile, i, i + 1, 0, whole_wide, rows, pitch);
  }
  turn_units<Unit>(tile, 0, tile.down.size(), whole_wide, wide, rows, pitch);
}

}  // namespace

void turn(const TurnedTile& tile, std::byte* rows, std::int64_t pitch) {
  switch (tile.unit) {
    case 1:
      return turn_squares<std::uint8_t>(tile, rows, pitch);
    case 2:
      return turn_squares<std::uint16_t>(tile, rows, pitch);
    case 4:
      return turn_squares<std::uint32_t>(tile, rows, pitch);
    case 8:
      return turn_squares<std::uint64_t>(tile, rows, pitch);
    case 16:
      return turn_units<std::array<std::byte, 16>>(tile, 0, tile.down.size(), 0, tile.across.size(), rows,
                                                   pitch);
    default:
      break;
  }
  for (const std::int64_t i : tile.down) {
    std::byte* into = rows;
    for (const std::int64_t j : tile.across) {
      std::memcpy(into, tile.source + i + j, static_cast<std::size_t>(tile.unit));
      into += tile.unit;
    }
    rows += pitch;
  }
}

}  // namespace tieout
