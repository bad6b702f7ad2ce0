#include "layers/shared/image_layout.h"

#include <algorithm>
#include <numeric>

namespace tieout {

Three three(const std::vector<std::int64_t>& sizes, std::int64_t fill) {
  Three out{fill, fill, fill};
  std::copy(sizes.begin(), sizes.end(), out.end() - static_cast<std::ptrdiff_t>(sizes.size()));
  return out;
}

std::int64_t volume(const Three& sizes) {
  return sizes[0] * sizes[1] * sizes[2];
}

ImageLayout ImageLayout::with(std::int64_t channel_count, const Three& spatial_sizes) const {
  ImageLayout other = *this;
  other.channels = channel_count;
  other.sizes = spatial_sizes;
  return other;
}

Shape ImageLayout::shape() const {
  Shape out(sizes.end() - static_cast<std::ptrdiff_t>(spatial_rank), sizes.end());
  out.insert(channels_last ? out.end() : out.begin(), channels);
  out.insert(out.begin(), images);
  return out;
}

std::optional<ImageLayout> image_layout(const Evaluation& evaluation) {
  const Array& x = *evaluation.inputs.at(0);
  const std::size_t rank = x.rank();
  if (rank < 3 || rank > 5) return std::nullopt;
  std::vector<int> first(rank);
  std::iota(first.begin(), first.end(), 0);
  std::vector<int> last = first;
  std::rotate(last.begin() + 1, last.end() - 1, last.end());
  const auto& orders = evaluation.layer.orders;
  const std::vector<int> order = orders.empty() || orders[0].empty() ? first : orders[0];
  const auto& given = evaluation.layer.output_order;
  const std::vector<int> output = given.empty() ? first : given;
  if ((order != first && order != last) || output != order) return std::nullopt;
  ImageLayout layout;
  layout.channels_last = order == last;
  layout.images = x.size(0);
  layout.channels = x.size(layout.channels_last ? rank - 1 : 1);
  layout.spatial_rank = rank - 2;
  const auto spatial = x.shape.begin() + (layout.channels_last ? 1 : 2);
  layout.sizes = three({spatial, spatial + static_cast<std::ptrdiff_t>(rank - 2)}, 1);
  return layout;
}

Taps taps_inside(std::int64_t at, std::int64_t stride, std::int64_t low, std::int64_t kernel,
                 std::int64_t dilation, std::int64_t size) {
  const std::int64_t place = at * stride - low;
  const std::int64_t first = place >= 0 ? 0 : (-place + dilation - 1) / dilation;
  const std::int64_t last = place >= size ? 0 : (size - 1 - place) / dilation + 1;
  return {std::min(first, kernel), std::max(std::min(last, kernel), std::min(first, kernel)), place};
}

}  // namespace tieout
