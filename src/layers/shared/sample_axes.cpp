#include "layers/shared/sample_axes.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "layers/shared/channels.h"
#include "tieout/error.h"

namespace tieout {

SampleAxes sample_axes(const Lifter& lifter, std::vector<int> axes) {
  const Axes& all = lifter.input().axes;
  SampleAxes kept;
  std::ranges::sort(axes);
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Axis& axis = all[k];
    const bool chosen = std::ranges::find(axes, static_cast<int>(k)) != axes.end() && axis.size != 1;
    const std::string name = chosen ? axis.name : "1";
    if (k > 0) kept.broadcast += (k == 1 ? "" : " ") + name;
    if (!chosen) continue;
    kept.axes.push_back(static_cast<int>(k));
    kept.canonical += (kept.canonical.empty() ? "" : " ") + name;
    kept.sizes[name] = axis.size;
    if (!axis.parts.empty()) kept.along = name;
  }
  return kept;
}

SampleAxes axes_of_shape(const std::vector<std::int64_t>& shape) {
  SampleAxes kept;
  const auto many = std::ranges::count_if(shape, [](std::int64_t size) { return size != 1; });
  for (std::size_t k = 0; k < shape.size(); ++k) {
    std::string name = "1";
    if (shape[k] != 1) {
      name = many == 1 ? "c" : "a" + std::to_string(k + 1);
      kept.axes.push_back(static_cast<int>(k) + 1);
      kept.canonical += (kept.canonical.empty() ? "" : " ") + name;
      kept.sizes[name] = shape[k];
    }
    kept.broadcast += (k == 0 ? "" : " ") + name;
  }
  return kept;
}

SampleAxes axes_of_setting(const Lifter& lifter) {
  const auto shape = lifter.settings().list("shape");
  if (lifter.weights_only() || !lifter.input().known) return axes_of_shape(shape);
  if (lifter.input().axes.size() != shape.size() + 1) {
    throw malformed("the layer's shape has " + std::to_string(shape.size()) +
                    " axes, a sample of its input has " + std::to_string(lifter.input().axes.size() - 1));
  }
  std::vector<int> axes;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (shape[k] == 1) continue;
    axes.push_back(static_cast<int>(k) + 1);
    lifter.expect_size(0, axes.back(), shape[k]);
  }
  return sample_axes(lifter, axes);
}

void name_channels(Lifter& lifter, const std::vector<int>& axes) {
  if (lifter.weights_only() || !lifter.input().known) return;
  const std::size_t rank = lifter.input().axes.size();
  if (axes.size() == 1 && rank >= 3 && rank <= 5) {
    lifter.roles(0, channel_names(rank), channel_order(rank, axes[0]));
  }
}

std::vector<std::vector<int>> order_as_it_is(const Lifter& lifter) {
  if (lifter.weights_only() || !lifter.input().known) return {};
  std::vector<int> order(lifter.input().axes.size());
  std::iota(order.begin(), order.end(), 0);
  return {order};
}

std::vector<int> axes_in_target(const Lowerer& lowerer) {
  std::vector<int> axes;
  for (const auto& axis : lowerer.layer().settings.at("axes")) {
    axes.push_back(lowerer.target_axis(0, axis.get<int>()));
  }
  return axes;
}

std::vector<std::int64_t> broadcast_shape(const Axes& input, const std::vector<int>& axes) {
  std::vector<std::int64_t> shape;
  for (std::size_t k = 1; k < input.size(); ++k) {
    const bool chosen = std::ranges::find(axes, static_cast<int>(k)) != axes.end();
    shape.push_back(chosen ? input[k].size : 1);
  }
  return shape;
}

Array with_places(const Array& x, const std::vector<int>& axes,
                  const std::function<double(double, std::size_t)>& f) {
  std::vector<std::size_t> strides(x.rank(), 0);
  std::size_t stride = 1;
  for (std::size_t k = x.rank(); k-- > 0;) {
    if (std::ranges::find(axes, static_cast<int>(k)) == axes.end()) continue;
    strides[k] = stride;
    stride *= static_cast<std::size_t>(x.size(k));
  }
  Array y = x;
  for (std::size_t at = 0; at < y.count(); ++at) {
    std::size_t place = 0;
    std::size_t rest = at;
    for (std::size_t k = x.rank(); k-- > 0;) {
      const auto size = static_cast<std::size_t>(x.size(k));
      place += rest % size * strides[k];
      rest /= size;
    }
    y.data[at] = f(x.data[at], place);
  }
  return y;
}

}  // namespace tieout
