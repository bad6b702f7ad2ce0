#include "layers/shared/channels.h"

#include <numeric>

#include "layers/shared/along_axis.h"
#include "tieout/error.h"

namespace tieout {

std::vector<int> channel_order(std::size_t rank, std::int64_t channel) {
  std::vector<int> order{0, static_cast<int>(channel)};
  for (int k = 1; k < static_cast<int>(rank); ++k) {
    if (k != channel) order.push_back(k);
  }
  return order;
}

std::vector<std::string> channel_names(std::size_t rank) {
  switch (rank) {
    case 2:
      return {"n", "c"};
    case 3:
      return {"n", "c", "l"};
    case 4:
      return {"n", "c", "h", "w"};
    case 5:
      return {"n", "c", "d", "h", "w"};
    default:
      return {};
  }
}

std::vector<int> place_channels(Lifter& lifter, std::int64_t channel, std::size_t required) {
  if (lifter.weights_only()) return {};
  const std::size_t rank = lifter.input().known ? lifter.input().axes.size() : required;
  if (rank < 2) return {};
  const std::int64_t axis = checked_axis(channel, static_cast<std::int64_t>(rank));
  if (axis == 0) lifter.refuse("it normalises along the batch axis", "use the axis of the channels");
  if (required != 0 && rank != required) {
    throw malformed(lifter.node().class_name + " needs an input of rank " + std::to_string(required));
  }
  auto order = channel_order(rank, axis);
  if (!channel_names(rank).empty()) lifter.roles(0, channel_names(rank), order);
  return order;
}

LayoutNeed channels_first_in_torch(const Layer& layer, Framework target) {
  if (target == Framework::keras) return {};
  LayoutNeed wanted{LayoutNeed::Kind::canonical, {}};
  wanted.order.resize(layer.orders.at(0).size());
  std::iota(wanted.order.begin(), wanted.order.end(), 0);
  return wanted;
}

}  // namespace tieout
