// Where the numbers of an image lie, for the fast paths: channels before or behind its cells.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

using Three = std::array<std::int64_t, 3>;

// One, two or three spatial sizes as three; the missing ones, in front, are `fill`.
Three three(const std::vector<std::int64_t>& sizes, std::int64_t fill);
std::int64_t volume(const Three& sizes);

// An image n c s..., whichever of the two ways it lies. Number (image, channel, cell) is at
// image * channels * cells() + channel * channel_stride() + cell * cell_stride().
struct ImageLayout {
  bool channels_last = false;
  std::int64_t images = 0;
  std::int64_t channels = 0;
  Three sizes{1, 1, 1};
  std::size_t spatial_rank = 0;

  [[nodiscard]] std::int64_t cells() const { return volume(sizes); }
  [[nodiscard]] std::int64_t channel_stride() const { return channels_last ? 1 : cells(); }
  [[nodiscard]] std::int64_t cell_stride() const { return channels_last ? channels : 1; }
  // The same way, with other channels and sizes.
  [[nodiscard]] ImageLayout with(std::int64_t channel_count, const Three& spatial_sizes) const;
  [[nodiscard]] Shape shape() const;
};

// Input 0, when it is an image that lies in one of the two ways and the output does too; else nothing.
std::optional<ImageLayout> image_layout(const Evaluation& evaluation);

// Along one axis: which taps of the window `at` lie inside [0, size).
struct Taps {
  std::int64_t first;  // tap
  std::int64_t last;   // behind the last tap
  std::int64_t place;  // where tap 0 lies; it may be outside
};
Taps taps_inside(std::int64_t at, std::int64_t stride, std::int64_t low, std::int64_t kernel,
                 std::int64_t dilation, std::int64_t size);

}  // namespace tieout
