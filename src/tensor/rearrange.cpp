#include "tensor/rearrange.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "tensor/stream.h"
#include "tensor/tiling.h"
#include "tensor/turn.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// Parts of so many bytes are written past the caches, which is up to twice as fast. Smaller ones stay in the
// second cache for who reads them next.
constexpr std::size_t beyond_cache = std::size_t{4} << 20;
// Long units are copied in pieces of so many bytes.
constexpr std::int64_t piece = std::int64_t{64} << 10;
// What a thread is woken up for.
constexpr std::int64_t least_work = std::int64_t{256} << 10;

void write(std::byte* target, const std::byte* source, std::int64_t size, bool streams) {
  if (streams) {
    stream(target, source, static_cast<std::size_t>(size));
  } else {
    std::memcpy(target, source, static_cast<std::size_t>(size));
  }
}

// One loop between two buffers.
struct Copy {
  const Tiling& tiling;
  const std::byte* source = nullptr;
  std::byte* target = nullptr;
  bool streams = false;  // past the caches
  bool across_is_dense = tiling.across.dense_in_target(tiling.unit);

  void one_piece(std::int64_t row, std::int64_t from) const {
    const Offset corner = tiling.outer.find(row);
    write(target + tiling.base.target + corner.target + from,
          source + tiling.base.source + corner.source + from, std::min(piece, tiling.unit - from), streams);
  }

  void one_tile(std::int64_t index) const {
    thread_local Places down;
    thread_local Places across;
    const std::int64_t i = index % tiling.down_tiles() * tiling.down_block;
    const std::int64_t j = index / tiling.down_tiles() % tiling.across_tiles() * tiling.across_block;
    const Offset corner = tiling.outer.find(index / tiling.down_tiles() / tiling.across_tiles());
    tiling.down.find(i, std::min(tiling.down_block, tiling.down.length() - i), down);
    tiling.across.find(j, std::min(tiling.across_block, tiling.across.length() - j), across);
    const std::byte* from = source + tiling.base.source + corner.source;
    std::byte* into = target + tiling.base.target + corner.target;
    if (across_is_dense) {
      turn_and_write({tiling.unit, from, down.sources, across.sources}, down.targets,
                     into + across.targets[0]);
    } else {
      copy_units(down, across, from, into);
    }
  }

  // Through a buffer, whose row i goes to into + places[i].
  void turn_and_write(const TurnedTile& tile, const std::vector<std::int64_t>& places,
                      std::byte* into) const {
    thread_local std::vector<std::byte> rows;
    const std::int64_t row = static_cast<std::int64_t>(tile.across.size()) * tiling.unit;
    // Rows of a power of two would all fall into the same few sets of the first cache.
    const std::int64_t pitch = row % 256 == 0 ? row + 64 : row;
    if (rows.size() < places.size() * static_cast<std::size_t>(pitch)) {
      rows.resize(places.size() * static_cast<std::size_t>(pitch));
    }
    turn(tile, rows.data(), pitch);
    const std::byte* from = rows.data();
    for (std::size_t i = 0; i < places.size();) {
      std::int64_t bytes = row;
      std::size_t next = i + 1;
      // Rows that follow each other in the target as they do here go there at once.
      for (; pitch == row && next < places.size() && places[next] == places[i] + bytes; ++next) bytes += row;
      write(into + places[i], from, bytes, streams);
      from += static_cast<std::int64_t>(next - i) * pitch;
      i = next;
    }
  }

  // For targets whose innermost elements are picked ones.
  void copy_units(const Places& down, const Places& across, const std::byte* from, std::byte* into) const {
    for (std::size_t i = 0; i < down.sources.size(); ++i) {
      for (std::size_t j = 0; j < across.sources.size(); ++j) {
        std::memcpy(into + down.targets[i] + across.targets[j], from + down.sources[i] + across.sources[j],
                    static_cast<std::size_t>(tiling.unit));
      }
    }
  }
};

void run_loop(const StridedLoop& loop, std::size_t element_size, const std::byte* source, std::byte* target,
              bool streams) {
  const Tiling tiling = tile(loop, element_size);
  const Copy copy{tiling, source, target, streams};
  const std::int64_t pieces = tiling.long_units() ? (tiling.unit + piece - 1) / piece : 1;
  const std::int64_t bytes = std::min(tiling.unit, piece) * tiling.down_block * tiling.across_block;
  parallel_for(tiling.tiles() * pieces, std::max<std::int64_t>(least_work / bytes, 1),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t k = first; k < last; ++k) {
                   if (tiling.long_units()) {
                     copy.one_piece(k / pieces, k % pieces * piece);
                   } else {
                     copy.one_tile(k);
                   }
                 }
                 if (streams) stream_end();
               });
}

}  // namespace

Rearrangement::Rearrangement(std::vector<StridedLoop> loops, std::size_t element_size)
    : loops_(std::move(loops)), element_size_(element_size) {
  std::erase_if(loops_, [](const StridedLoop& loop) { return extent(loop).target == 0; });
  for (const auto& loop : loops_) {
    const Extent one = extent(loop);
    extent_ = {std::max(extent_.source, one.source), std::max(extent_.target, one.target)};
  }
}

void Rearrangement::run(Bytes source, std::span<std::byte> target) const {
  if (static_cast<std::uint64_t>(extent_.target) > target.size() / element_size_) {
    throw internal_error("an arrangement leaves its target");
  }
  run_part(source, 0, extent_.target, target.first(static_cast<std::size_t>(extent_.target) * element_size_));
}

void Rearrangement::run_part(Bytes source, std::int64_t first, std::int64_t last,
                             std::span<std::byte> part) const {
  if (static_cast<std::uint64_t>(extent_.source) > source.size() / element_size_) {
    throw internal_error("an arrangement leaves its source");
  }
  if (first < 0 || last < first || static_cast<std::uint64_t>(last - first) != part.size() / element_size_) {
    throw internal_error("a part of an arrangement goes to a buffer of another size");
  }
  for (const auto& loop : loops_) {
    for (auto& some : part_of(loop, first, last)) {
      some.target_offset -= first;
      run_loop(some, element_size_, source.data(), part.data(), part.size() >= beyond_cache);
    }
  }
}

void copy_elements(const std::vector<StridedLoop>& loops, std::size_t element_size, Bytes source,
                   std::span<std::byte> target) {
  Rearrangement(loops, element_size).run(source, target);
}

}  // namespace tieout
