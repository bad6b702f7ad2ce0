#include "tensor/loop_cut.h"

#include <algorithm>

namespace tieout {

namespace {

// Parts of this size stay in the caches between the rearranging and the writing.
constexpr std::int64_t good_part = std::int64_t{1} << 21;
// Runs of this many bytes cost little more than one long run: read from memory, where each end wastes part of
// a cache line, and written to a file, where each is a call to the system and each end part of a page.
constexpr std::int64_t good_read = 256;
constexpr std::int64_t good_write = std::int64_t{64} << 10;

struct Level {
  std::size_t level;
  std::int64_t step;  // indices in a part
  double worth;       // of its runs, from 0 to 1
};

bool fills_its_target(const StridedLoop& loop) {
  std::int64_t expected = 1;
  for (std::size_t k = loop.sizes.size(); k-- > 0;) {
    if (loop.target_strides[k] != expected) return false;
    expected *= loop.sizes[k];
  }
  return loop.target_offset == 0 && expected > 0;
}

Level cut_at(const StridedLoop& loop, std::size_t k, std::int64_t element_size, std::int64_t total,
             std::int64_t most) {
  const std::int64_t slice = total / loop.sizes[k];  // bytes of one index
  const std::int64_t step = std::clamp<std::int64_t>(std::min(good_part, most) / slice, 1, loop.sizes[k]);
  const auto share = [](std::int64_t run, std::int64_t good) {
    return static_cast<double>(std::min(run, good)) / static_cast<double>(good);
  };
  return {k, step,
          share(loop.source_strides[k] * element_size * step, good_read) *
              share(loop.target_strides[k] * element_size * step, good_write)};
}

Level best_cut(const StridedLoop& loop, std::int64_t element_size, std::int64_t total, std::int64_t most) {
  Level best{0, 0, -1};
  bool best_fits = false;
  for (std::size_t k = 0; k < loop.sizes.size(); ++k) {
    const Level level = cut_at(loop, k, element_size, total, most);
    const bool fits = total / loop.sizes[k] * level.step <= most;
    if (best.step == 0 || (fits && !best_fits) || (fits == best_fits && level.worth > best.worth)) {
      best = level;
      best_fits = fits;
    }
  }
  return best;
}

}  // namespace

std::vector<TensorPart> cut(const StridedLoop& loop, std::size_t element_size, std::uint64_t most) {
  if (loop.sizes.empty() || !fills_its_target(loop)) return {};
  const auto size = static_cast<std::int64_t>(element_size);
  const std::int64_t total = loop.sizes[0] * loop.target_strides[0] * size;
  const Level level = best_cut(loop, size, total, static_cast<std::int64_t>(most));
  const std::int64_t inner = loop.target_strides[level.level] * size;
  const std::int64_t indices = loop.sizes[level.level];
  std::vector<TensorPart> parts;
  for (std::int64_t first = 0; first < indices; first += level.step) {
    const std::int64_t last = std::min(first + level.step, indices);
    parts.push_back({.begin = static_cast<std::uint64_t>(first * inner),
                     .run = static_cast<std::uint64_t>((last - first) * inner),
                     .count = static_cast<std::uint64_t>(total / (indices * inner)),
                     .stride = static_cast<std::uint64_t>(indices * inner),
                     .level = level.level,
                     .first = first,
                     .last = last});
  }
  return parts;
}

StridedLoop loop_of(const TensorPart& part, const StridedLoop& loop) {
  StridedLoop made = loop;
  made.sizes[part.level] = part.last - part.first;
  made.source_offset += part.first * loop.source_strides[part.level];
  std::int64_t stride = 1;
  for (std::size_t k = made.sizes.size(); k-- > 0;) {
    made.target_strides[k] = stride;
    stride *= made.sizes[k];
  }
  return made;
}

}  // namespace tieout
