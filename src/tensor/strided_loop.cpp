#include "tensor/strided_loop.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "tieout/error.h"

namespace tieout {

namespace {

struct Place {
  PatternAxis axis;
  std::int64_t size = 0;
  std::int64_t stride = 0;
};

// Every elementary axis of the pattern with its stride in the whole tensor, outermost first.
std::vector<Place> places(const Pattern& pattern, const AxisSizes& sizes) {
  std::vector<Place> all;
  for (const auto& group : pattern.groups) {
    for (const auto& axis : group) all.push_back({axis, axis_size(axis, sizes), 0});
  }
  std::int64_t stride = 1;
  for (auto place = all.rbegin(); place != all.rend(); ++place) {
    place->stride = stride;
    stride *= place->size;
  }
  return all;
}

std::int64_t block(const PatternAxis& axis, const std::string& label) {
  const auto found = std::ranges::find(axis.labels, label);
  if (found == axis.labels.end()) throw usage_error("the axis " + axis.name + " has no block named " + label);
  return found - axis.labels.begin();
}

std::int64_t picked_offset(const std::vector<Place>& all) {
  std::int64_t offset = 0;
  for (const auto& place : all) {
    if (!place.axis.pick.empty()) offset += block(place.axis, place.axis.pick) * place.stride;
  }
  return offset;
}

const Place* find_free(const std::vector<Place>& all, const std::string& name) {
  const auto found = std::ranges::find_if(
      all, [&](const Place& place) { return place.axis.pick.empty() && place.axis.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// Adds the axis to every loop, as one more level or, where its blocks are in another order, as loops of their
// own.
void add_axis(std::vector<StridedLoop>& loops, const Place& source, const Place& target) {
  const bool reordered =
      !source.axis.labels.empty() && !target.axis.labels.empty() && source.axis.labels != target.axis.labels;
  if (!reordered) {
    if (source.size != target.size) throw usage_error("the axis " + source.axis.name + " has two sizes");
    for (auto& loop : loops) {
      loop.sizes.push_back(source.size);
      loop.source_strides.push_back(source.stride);
      loop.target_strides.push_back(target.stride);
    }
    return;
  }
  if (source.size != target.size)
    throw usage_error("the axis " + source.axis.name + " has other blocks on the other side");
  std::vector<StridedLoop> expanded;
  for (const auto& loop : loops) {
    for (const auto& label : source.axis.labels) {
      StridedLoop one = loop;
      one.source_offset += block(source.axis, label) * source.stride;
      one.target_offset += block(target.axis, label) * target.stride;
      expanded.push_back(std::move(one));
    }
  }
  loops = std::move(expanded);
}

}  // namespace

std::vector<StridedLoop> arrange(const Pattern& from, const Pattern& to, const AxisSizes& sizes) {
  const auto sources = places(from, sizes);
  const auto targets = places(to, sizes);
  std::vector<StridedLoop> loops{{{}, {}, {}, picked_offset(sources), picked_offset(targets)}};
  for (const auto& source : sources) {
    if (source.axis.pick.empty() && find_free(targets, source.axis.name) == nullptr) {
      throw usage_error("the axis " + source.axis.name + " of \"" + to_string(from) + "\" is missing in \"" +
                        to_string(to) + "\"");
    }
  }
  // The target's order, so that writing is as sequential as it can be.
  for (const auto& target : targets) {
    if (!target.axis.pick.empty()) continue;
    const Place* source = find_free(sources, target.axis.name);
    if (source == nullptr) {
      throw usage_error("the axis " + target.axis.name + " of \"" + to_string(to) + "\" is missing in \"" +
                        to_string(from) + "\"");
    }
    add_axis(loops, *source, target);
  }
  return loops;
}

StridedLoop fused(const StridedLoop& loop) {
  std::vector<std::size_t> order(loop.sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t k) { return loop.target_strides[k]; });
  StridedLoop out{{}, {}, {}, loop.source_offset, loop.target_offset};
  for (const std::size_t k : order) {
    const std::int64_t size = loop.sizes[k];
    if (size == 1) continue;
    if (!out.sizes.empty() && out.source_strides.back() == loop.source_strides[k] * size &&
        out.target_strides.back() == loop.target_strides[k] * size) {
      out.sizes.back() *= size;
      out.source_strides.back() = loop.source_strides[k];
      out.target_strides.back() = loop.target_strides[k];
      continue;
    }
    out.sizes.push_back(size);
    out.source_strides.push_back(loop.source_strides[k]);
    out.target_strides.push_back(loop.target_strides[k]);
  }
  return out;
}

Extent extent(const StridedLoop& loop) {
  Extent last{loop.source_offset, loop.target_offset};
  for (std::size_t k = 0; k < loop.sizes.size(); ++k) {
    if (loop.sizes[k] == 0) return {};
    last.source += (loop.sizes[k] - 1) * loop.source_strides[k];
    last.target += (loop.sizes[k] - 1) * loop.target_strides[k];
  }
  return {last.source + 1, last.target + 1};
}

namespace {

// What lies in [first, last) of the levels from `level` on; `loop` has one place in each level outside it.
void add_parts(const StridedLoop& loop, std::size_t level, std::int64_t first, std::int64_t last,
               std::vector<StridedLoop>& parts) {
  const std::int64_t begin = loop.target_offset;
  const std::int64_t end = extent(loop).target;
  if (begin >= last || end <= first) return;
  if (begin >= first && end <= last) {
    parts.push_back(loop);
    return;
  }
  // Neither none nor all of it: so there is a level of more than one place.
  while (loop.sizes[level] == 1) ++level;
  const std::int64_t stride = loop.target_strides[level];
  const std::int64_t size = loop.sizes[level];
  const auto slice = [&](std::int64_t from, std::int64_t to) {
    StridedLoop some = loop;
    some.sizes[level] = to - from;
    some.source_offset += from * loop.source_strides[level];
    some.target_offset += from * stride;
    return some;
  };
  const std::int64_t inner = end - begin - (size - 1) * stride;
  // Places [whole_from, whole_to) lie in the part as a whole; one before and one behind may be cut.
  const std::int64_t whole_from = std::clamp<std::int64_t>((first - begin + stride - 1) / stride, 0, size);
  const std::int64_t whole_to =
      last < begin + inner ? 0 : std::clamp<std::int64_t>((last - begin - inner) / stride + 1, 0, size);
  if (whole_from > 0) add_parts(slice(whole_from - 1, whole_from), level + 1, first, last, parts);
  if (whole_from < whole_to) parts.push_back(slice(whole_from, whole_to));
  const std::int64_t behind = std::max(whole_from, whole_to);
  if (behind < size) add_parts(slice(behind, behind + 1), level + 1, first, last, parts);
}

}  // namespace

std::vector<StridedLoop> part_of(const StridedLoop& loop, std::int64_t first, std::int64_t last) {
  std::vector<StridedLoop> parts;
  if (std::ranges::find(loop.sizes, 0) == loop.sizes.end()) add_parts(fused(loop), 0, first, last, parts);
  return parts;
}

}  // namespace tieout
