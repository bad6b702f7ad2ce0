#include "layers/shared/read_axes.h"

#include <algorithm>

#include "layers/shared/along_axis.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::vector<std::int64_t> numbers(const Lifter& lifter, const Json& axis) {
  const auto is_number = [](const Json& one) { return one.is_number_integer(); };
  if (axis.is_number_integer()) return {axis.get<std::int64_t>()};
  if (!axis.is_array() || !std::ranges::all_of(axis, is_number))
    lifter.refuse("its axis " + axis.dump().substr(0, 60) + " is not a number", "give it as a number");
  return axis.get<std::vector<std::int64_t>>();
}

std::int64_t known_rank(const Lifter& lifter) {
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's rank, which is not known", "give it with --input-shape");
  return static_cast<std::int64_t>(lifter.input().axes.size());
}

// The setting as a list, whichever of the two it is.
std::vector<std::int64_t> axes_of(const Layer& layer) {
  const bool several = layer.settings.contains("axes");
  const Json& given = layer.settings.at(several ? "axes" : "axis");
  return several ? given.get<std::vector<std::int64_t>>() : std::vector{given.get<std::int64_t>()};
}

}  // namespace

std::vector<std::int64_t> read_axes(const Lifter& lifter, const Json& axis) {
  const std::int64_t rank = known_rank(lifter);
  std::vector<std::int64_t> axes;
  if (axis.is_null()) {
    for (std::int64_t k = 0; k < rank; ++k) axes.push_back(k);
    return axes;
  }
  for (const std::int64_t one : numbers(lifter, axis)) axes.push_back(checked_axis(one, rank));
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) throw malformed("it names an axis twice");
  return axes;
}

std::int64_t read_axis(const Lifter& lifter, const Json& axis) {
  const std::int64_t rank = known_rank(lifter);
  if (axis.is_null()) lifter.refuse("it joins all axes, the batch too", "give it an axis");
  const auto axes = numbers(lifter, axis);
  if (axes.size() != 1) lifter.refuse("it works along several axes", "give it one axis");
  return checked_axis(axes[0], rank);
}

std::vector<std::int64_t> target_axes(const Lowerer& lowerer) {
  std::vector<std::int64_t> axes;
  for (const std::int64_t axis : axes_of(lowerer.layer()))
    axes.push_back(lowerer.target_axis(0, static_cast<int>(axis)));
  std::ranges::sort(axes);
  return axes;
}

std::int64_t axis_of_the_number(std::int64_t axis, std::int64_t rank, Framework framework) {
  if (axis == 0) return 0;
  if (framework == Framework::torch) return axis == rank - 1 ? 1 : axis + 1;
  return axis == 1 ? rank - 1 : axis - 1;
}

Mistake other_layout_mistake(const std::string& message) {
  const auto mutate = [](Layer& layer, Framework framework, const std::vector<Axes>& inputs) {
    const auto rank = static_cast<std::int64_t>(inputs.at(0).size());
    if (rank < 3) return false;
    auto axes = axes_of(layer);
    const auto own = axes;
    for (auto& axis : axes) axis = axis_of_the_number(axis, rank, framework);
    std::ranges::sort(axes);
    if (axes == own) return false;
    if (layer.settings.contains("axes"))
      layer.settings["axes"] = axes;
    else
      layer.settings["axis"] = axes.at(0);
    return true;
  };
  return {"axis", message, mutate};
}

}  // namespace tieout
