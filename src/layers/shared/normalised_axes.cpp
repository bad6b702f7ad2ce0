#include "layers/shared/normalised_axes.h"

#include <algorithm>

#include "layers/shared/along_axis.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::vector<std::int64_t> torch_axes(const Lifter& lifter) {
  std::vector<std::int64_t> axes;
  const auto shape = lifter.settings().list("normalized_shape");
  const auto rank = lifter.input().axes.size();
  if (shape.size() >= rank) throw malformed("normalized_shape has more axes than a sample");
  for (std::size_t k = rank - shape.size(); k < rank; ++k) {
    axes.push_back(static_cast<std::int64_t>(k));
    const std::int64_t size = lifter.input().axes[k].size;
    const std::int64_t given = shape[k + shape.size() - rank];
    if (size != unknown && size != given) {
      throw malformed("normalized_shape says " + std::to_string(given) + " where the input has " +
                      std::to_string(size));
    }
  }
  return axes;
}

std::vector<std::int64_t> keras_axes(const Lifter& lifter) {
  std::vector<std::int64_t> axes;
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size());
  auto sorted =
      lifter.settings().has("axis") ? lifter.settings().list("axis") : std::vector<std::int64_t>{-1};
  std::ranges::sort(sorted);  // as Keras does before it counts from the front
  for (const std::int64_t axis : sorted) axes.push_back(checked_axis(axis, rank));
  if (axes.empty() || !std::ranges::is_sorted(axes) || std::ranges::adjacent_find(axes) != axes.end()) {
    lifter.refuse("its axes " + lifter.settings().raw("axis").dump() + " mix both ways of counting",
                  "count all of them from the front");
  }
  if (axes[0] == 0) lifter.refuse("it normalises across the batch", "leave axis 0 out");
  return axes;
}

}  // namespace

std::vector<std::int64_t> normalised_axes(const Lifter& lifter) {
  if (lifter.weights_only() || !lifter.input().known) return {};
  return lifter.is_torch() ? torch_axes(lifter) : keras_axes(lifter);
}

Normalised normalised(const Lifter& lifter, const std::vector<std::int64_t>& axes) {
  Normalised all;
  if (axes.empty()) {
    // Without the input's rank only the shape is known.
    const auto shape =
        lifter.is_torch() ? lifter.settings().list("normalized_shape") : std::vector<std::int64_t>{};
    const std::size_t rank = std::max<std::size_t>(shape.size(), 1);
    for (std::size_t k = 0; k < rank; ++k) {
      const std::string name = rank == 1 ? "f" : "a" + std::to_string(k + 1);
      all.pattern += (k == 0 ? "" : " ") + name;
      if (k < shape.size()) all.sizes[name] = shape[k];
    }
    return all;
  }
  for (const std::int64_t place : axes) {
    const Axis& axis = lifter.input().axes[static_cast<std::size_t>(place)];
    all.pattern += (all.pattern.empty() ? "" : " ") + axis.name;
    all.sizes[axis.name] = axis.size;
    if (!axis.parts.empty()) all.along = axis.name;
  }
  return all;
}

LayoutNeed normalised_axes_last(const Layer& layer) {
  const auto axes = layer.settings.at("axes").get<std::vector<int>>();
  LayoutNeed wanted{LayoutNeed::Kind::canonical, {}};
  for (const int axis : layer.orders.at(0)) {
    if (std::ranges::find(axes, axis) == axes.end()) wanted.order.push_back(axis);
  }
  wanted.order.insert(wanted.order.end(), axes.begin(), axes.end());
  return wanted;
}

}  // namespace tieout
