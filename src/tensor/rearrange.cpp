#include "tensor/rearrange.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>

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

// Fuses neighbouring levels that one longer level can replace, so that the inner loop is as long as it can
// be.
StridedLoop fused(const StridedLoop& loop) {
  StridedLoop out{{}, {}, {}, loop.source_offset, loop.target_offset};
  for (std::size_t k = 0; k < loop.sizes.size(); ++k) {
    if (loop.sizes[k] == 1) continue;
    if (!out.sizes.empty() && out.source_strides.back() == loop.source_strides[k] * loop.sizes[k] &&
        out.target_strides.back() == loop.target_strides[k] * loop.sizes[k]) {
      out.sizes.back() *= loop.sizes[k];
      out.source_strides.back() = loop.source_strides[k];
      out.target_strides.back() = loop.target_strides[k];
      continue;
    }
    out.sizes.push_back(loop.sizes[k]);
    out.source_strides.push_back(loop.source_strides[k]);
    out.target_strides.push_back(loop.target_strides[k]);
  }
  return out;
}

void check_inside(const StridedLoop& loop, std::size_t element_size, std::size_t source, std::size_t target) {
  std::int64_t last_source = loop.source_offset;
  std::int64_t last_target = loop.target_offset;
  for (std::size_t k = 0; k < loop.sizes.size(); ++k) {
    if (loop.sizes[k] == 0) return;
    last_source += (loop.sizes[k] - 1) * loop.source_strides[k];
    last_target += (loop.sizes[k] - 1) * loop.target_strides[k];
  }
  const auto ends_inside = [&](std::int64_t last, std::size_t bytes) {
    return last >= 0 && (static_cast<std::uint64_t>(last) + 1) * element_size <= bytes;
  };
  if (!ends_inside(last_source, source) || !ends_inside(last_target, target)) {
    throw internal_error("an arrangement leaves its tensor");
  }
}

template <typename Element>
void run(const StridedLoop& loop, std::size_t level, const std::byte* source, std::byte* target) {
  const std::int64_t count = loop.sizes[level];
  const std::int64_t from = loop.source_strides[level];
  const std::int64_t into = loop.target_strides[level];
  if (level + 1 < loop.sizes.size()) {
    for (std::int64_t i = 0; i < count; ++i) {
      run<Element>(loop, level + 1, source + i * from * static_cast<std::int64_t>(sizeof(Element)),
                   target + i * into * static_cast<std::int64_t>(sizeof(Element)));
    }
    return;
  }
  if (from == 1 && into == 1) {
    std::memcpy(target, source, static_cast<std::size_t>(count) * sizeof(Element));
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(target + i * into * static_cast<std::int64_t>(sizeof(Element)),
                source + i * from * static_cast<std::int64_t>(sizeof(Element)), sizeof(Element));
  }
}

template <typename Element>
void run(const StridedLoop& loop, const std::byte* source, std::byte* target) {
  source += loop.source_offset * static_cast<std::int64_t>(sizeof(Element));
  target += loop.target_offset * static_cast<std::int64_t>(sizeof(Element));
  if (loop.sizes.empty()) {
    std::memcpy(target, source, sizeof(Element));
  } else {
    run<Element>(loop, 0, source, target);
  }
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

void copy_elements(const std::vector<StridedLoop>& loops, std::size_t element_size, Bytes source,
                   std::span<std::byte> target) {
  for (const auto& loop : loops) {
    if (std::ranges::find(loop.sizes, 0) != loop.sizes.end()) continue;
    check_inside(loop, element_size, source.size(), target.size());
    const StridedLoop plain = fused(loop);
    switch (element_size) {
      case 1:
        run<std::uint8_t>(plain, source.data(), target.data());
        break;
      case 2:
        run<std::uint16_t>(plain, source.data(), target.data());
        break;
      case 4:
        run<std::uint32_t>(plain, source.data(), target.data());
        break;
      case 8:
        run<std::uint64_t>(plain, source.data(), target.data());
        break;
      case 16:
        run<std::array<std::uint64_t, 2>>(plain, source.data(), target.data());
        break;
      default:
        throw internal_error("elements of " + std::to_string(element_size) + " bytes");
    }
  }
}

}  // namespace tieout
