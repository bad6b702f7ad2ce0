#include "verify/layout.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "tensor/rearrange.h"

namespace tieout {

namespace {

// The axes with every flattened one taken apart, outermost first.
std::vector<std::string> elementary(const Axes& axes) {
  std::vector<std::string> names;
  for (const auto& axis : axes) {
    if (axis.parts.empty()) names.push_back(axis.name);
    for (const auto& part : axis.parts) names.push_back(part.name);
  }
  return names;
}

Pattern pattern_of(const Axes& axes) {
  Pattern pattern;
  for (const auto& axis : axes) {
    auto& group = pattern.groups.emplace_back();
    if (axis.parts.empty()) group.push_back({axis.name, {}, {}});
    for (const auto& part : axis.parts) group.push_back({part.name, {}, {}});
  }
  return pattern;
}

// Sizes of the elementary axes of an array that lies as `axes`; one part of each flattened axis may be
// unknown.
std::optional<AxisSizes> sizes_of(const Array& array, const Axes& axes) {
  if (array.rank() != axes.size()) return std::nullopt;
  AxisSizes sizes;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    std::int64_t rest = array.shape[k];
    if (axes[k].parts.empty()) {
      if (!sizes.emplace(axes[k].name, rest).second) return std::nullopt;
      continue;
    }
    std::string open;
    for (const auto& part : axes[k].parts) {
      if (part.size == unknown && open.empty()) {
        open = part.name;
        continue;
      }
      if (part.size <= 0 || rest % part.size != 0 || !sizes.emplace(part.name, part.size).second)
        return std::nullopt;
      rest /= part.size;
    }
    if (open.empty() ? rest != 1 : !sizes.emplace(open, rest).second) return std::nullopt;
  }
  return sizes;
}

std::vector<std::string> missing(const std::vector<std::string>& names,
                                 const std::vector<std::string>& from) {
  std::vector<std::string> out;
  std::ranges::copy_if(names, std::back_inserter(out),
                       [&](const std::string& name) { return std::ranges::find(from, name) == from.end(); });
  return out;
}

// `to` with its one axis that `from` does not have renamed to the one that `to` does not have.
std::optional<Axes> with_names_of(const Axes& from, const Axes& to) {
  const auto names_from = elementary(from);
  const auto names_to = elementary(to);
  if (names_from.size() != names_to.size()) return std::nullopt;
  const auto only_from = missing(names_from, names_to);
  const auto only_to = missing(names_to, names_from);
  if (only_from.empty() && only_to.empty()) return to;
  const auto is_plain = [](const Axes& axes, const std::string& name) {
    return std::ranges::any_of(axes,
                               [&](const Axis& axis) { return axis.parts.empty() && axis.name == name; });
  };
  if (only_from.size() != 1 || only_to.size() != 1 || !is_plain(from, only_from[0]) ||
      !is_plain(to, only_to[0])) {
    return std::nullopt;
  }
  Axes renamed = to;
  std::ranges::find(renamed, only_to[0], &Axis::name)->name = only_from[0];
  return renamed;
}

}  // namespace

std::optional<Array> to_layout(const Array& array, const Axes& from, const Axes& to) {
  // Equal names in equal order: nothing moves, even where a name stands twice (a matrix of scores, "n t t").
  if (array.rank() == from.size() && elementary(from) == elementary(to) && from.size() == to.size())
    return array;
  const auto target = with_names_of(from, to);
  const auto sizes = sizes_of(array, from);
  if (!target || !sizes) return std::nullopt;
  const Pattern pattern = pattern_of(*target);
  Array result(pattern_shape(pattern, *sizes));
  copy_elements(arrange(pattern_of(from), pattern, *sizes), sizeof(double),
                std::as_bytes(std::span(array.data)), std::as_writable_bytes(std::span(result.data)));
  return result;
}

}  // namespace tieout
