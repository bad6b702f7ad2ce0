#include "tensor/tiling.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tieout {

namespace {

// A tile's rows in the target: long enough that few of them end within a cache line, short enough that the
// tile has many of them.
constexpr std::int64_t across_bytes = 1024;
// A tile: it stays in the second cache while it is turned, and its lines in the source are long runs too.
// Half of it measured slower, twice of it no faster.
constexpr std::int64_t tile_bytes = std::int64_t{128} << 10;
// A tile has no more places than this either way: their offsets should stay in the first cache.
constexpr std::int64_t most_places = 2048;
// Nearer than a page, in bytes.
constexpr std::int64_t close_by = 4096;

using Levels = std::vector<Run::Level>;  // innermost in the target first

// The level that lies closest together on one side, of those that are left.
Levels::iterator closest(Levels& levels, std::int64_t Offset::*side) {
  return std::ranges::min_element(levels, {}, [side](const Run::Level& level) { return level.step.*side; });
}

// One side's run, and where it goes on.
struct Growth {
  Run& run;
  std::int64_t Offset::*side = nullptr;
  std::int64_t end = 0;  // the step that the next level must have

  Levels::iterator next(Levels& levels) const {
    return std::ranges::find_if(levels, [this](const Run::Level& level) { return level.step.*side == end; });
  }
  void take(Levels& levels, Levels::iterator level) {
    end = level->step.*side * level->size;
    run.append(*level);
    levels.erase(level);
  }
};

// Both runs take whatever goes on where they end; a level that could go to either goes to the shorter one.
void grow(Levels& levels, Growth& down, Growth& across) {
  while (true) {
    const bool down_first = down.run.length() < across.run.length();
    Growth& first = down_first ? down : across;
    Growth& second = down_first ? across : down;
    if (const auto level = first.next(levels); level != levels.end()) {
      first.take(levels, level);
    } else if (const auto other = second.next(levels); other != levels.end()) {
      second.take(levels, other);
    } else {
      return;
    }
  }
}

// Moves the levels of both runs out of `levels`.
void choose_runs(Levels& levels, Tiling& tiling) {
  Growth across{tiling.across, &Offset::target};
  if (!levels.empty()) across.take(levels, closest(levels, &Offset::target));
  Growth down{tiling.down, &Offset::source};
  if (!levels.empty()) down.take(levels, closest(levels, &Offset::source));
  grow(levels, down, across);
  // What lies close by in the source joins its run, with gaps: each page is then visited once.
  while (!levels.empty() && tiling.down.length() < most_places) {
    const auto level = closest(levels, &Offset::source);
    if (level->step.source >= close_by) break;
    down.take(levels, level);
  }
}

void cut(Tiling& tiling) {
  const std::int64_t units = std::max<std::int64_t>(tile_bytes / tiling.unit, 1);
  const std::int64_t most_across = std::min(tiling.across.length(), most_places);
  const std::int64_t most_down = std::min(tiling.down.length(), most_places);
  tiling.across_block = std::clamp<std::int64_t>(across_bytes / tiling.unit, 1, most_across);
  tiling.down_block = std::clamp<std::int64_t>(units / tiling.across_block, 1, most_down);
  // Where there are few rows, they are longer.
  tiling.across_block = std::clamp<std::int64_t>(units / tiling.down_block, 1, most_across);
}

}  // namespace

void Run::append(const Level& level) {
  levels_.push_back(level);
  length_ *= level.size;
}

bool Run::dense_in_target(std::int64_t unit) const {
  for (const auto& level : levels_) {
    if (level.step.target != unit) return false;
    unit *= level.size;
  }
  return true;
}

Offset Run::find(std::int64_t place) const {
  Offset at;
  for (const auto& level : levels_) {
    const std::int64_t index = place % level.size;
    at.source += index * level.step.source;
    at.target += index * level.step.target;
    place /= level.size;
  }
  return at;
}

void Run::find(std::int64_t first, std::int64_t count, Places& places) const {
  places.sources.resize(static_cast<std::size_t>(count));
  places.targets.resize(static_cast<std::size_t>(count));
  std::int64_t* source = places.sources.data();
  std::int64_t* target = places.targets.data();
  const Level inner = levels_.empty() ? Level{} : levels_.front();
  std::int64_t from = first % inner.size;  // along the inner level
  std::int64_t row = first / inner.size;
  while (count > 0) {
    const Offset at = find(row * inner.size);
    const std::int64_t to = std::min(inner.size, from + count);
    for (std::int64_t k = from; k < to; ++k) {
      *source++ = at.source + k * inner.step.source;
      *target++ = at.target + k * inner.step.target;
    }
    count -= to - from;
    from = 0;
    ++row;
  }
}

Tiling tile(const StridedLoop& loop, std::size_t element_size) {
  const StridedLoop plain = fused(loop);
  Tiling tiling;
  tiling.unit = static_cast<std::int64_t>(element_size);
  const std::int64_t bytes = tiling.unit;
  tiling.base = {plain.source_offset * bytes, plain.target_offset * bytes};
  Levels levels;
  for (std::size_t k = plain.sizes.size(); k-- > 0;) {
    levels.push_back({plain.sizes[k], {plain.source_strides[k] * bytes, plain.target_strides[k] * bytes}});
  }
  if (!levels.empty() && levels[0].step.source == bytes && levels[0].step.target == bytes) {
    tiling.unit *= levels[0].size;
    levels.erase(levels.begin());
  }
  if (!tiling.long_units()) choose_runs(levels, tiling);
  for (const auto& level : levels) tiling.outer.append(level);
  cut(tiling);
  return tiling;
}

}  // namespace tieout
