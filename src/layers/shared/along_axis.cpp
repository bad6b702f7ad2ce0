#include "layers/shared/along_axis.h"

#include <algorithm>

#include "tieout/error.h"

namespace tieout {

std::int64_t checked_axis(std::int64_t axis, std::int64_t rank) {
  if (rank == 0) return axis;
  const std::int64_t place = axis < 0 ? axis + rank : axis;
  if (place < 0 || place >= rank) {
    throw malformed("the axis " + std::to_string(axis) + " is not in an input of rank " +
                    std::to_string(rank));
  }
  return place;
}

Array along_axes(const Array& x, const std::vector<int>& axes,
                 const std::function<void(double*, std::int64_t)>& change) {
  std::vector<int> order;
  std::int64_t row = 1;
  for (int k = 0; k < static_cast<int>(x.rank()); ++k) {
    if (std::ranges::find(axes, k) == axes.end()) order.push_back(k);
  }
  for (const int axis : axes) {
    order.push_back(axis);
    row *= x.size(static_cast<std::size_t>(axis));
  }
  Array moved = permuted(x, order);
  for (std::size_t at = 0; row > 0 && at < moved.count(); at += static_cast<std::size_t>(row))
    change(moved.data.data() + at, row);
  std::vector<int> back(order.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    back[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  return permuted(moved, back);
}

Array along_axis(const Array& x, std::int64_t axis,
                 const std::function<void(double*, std::int64_t)>& change) {
  return along_axes(x, {static_cast<int>(checked_axis(axis, static_cast<std::int64_t>(x.rank())))}, change);
}

}  // namespace tieout
