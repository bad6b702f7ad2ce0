// What the kinds that slide a window over 1 to 3 spatial axes share: names, orders, paddings, sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

struct Padding {
  std::int64_t low = 0;
  std::int64_t high = 0;
  bool operator==(const Padding&) const = default;
};
using Paddings = std::vector<Padding>;  // one for each spatial axis

// {"l"}, {"h", "w"}, {"d", "h", "w"}.
std::vector<std::string> spatial_names(std::size_t rank);
// "n c h w": the canonical axes of an image-like value.
std::vector<std::string> image_names(std::size_t rank);

// Where the canonical axes n c s... lie: {0, 1, 2, 3}, or {0, 3, 1, 2} for channels_last. Says so to the
// lifter and returns it. In Keras the `data_format` setting decides (channels_last by default), in PyTorch
// channels come first.
std::vector<int> image_order(Lifter& lifter, std::size_t rank);

// The layout an image-like kind needs in the target: channels first in PyTorch, last in Keras.
LayoutNeed image_need(std::size_t rank, Framework target);

// TensorFlow's "same": out = ceil(n / s), total = max((out - 1) s + (k - 1) d + 1 - n, 0), low = total / 2,
// the rest high (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2). With stride 1 the size
// does not matter and may be unknown; otherwise an unknown size is refused.
Paddings same_padding(Lifter& lifter, const std::vector<int>& order, const std::vector<std::int64_t>& kernel,
                      const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& dilation);

// floor((n + low + high - (k - 1) d - 1) / s) + 1, `unknown` for an unknown n. Error(malformed) when nothing
// is left.
std::int64_t window_count(std::int64_t size, const Padding& padding, std::int64_t kernel, std::int64_t stride,
                          std::int64_t dilation);

Json to_json(const Paddings& paddings);        // [[low, high], ...]
Paddings paddings_from(const Json& settings);  // the layer's "padding"

// A layer of zeros around the image: torch.nn.ZeroPad1d/2d/3d; Keras ZeroPadding1D/2D/3D. Negative paddings
// crop (Keras: Cropping1D/2D/3D). `helper` as in Lowerer::add.
void add_zero_padding(Lowerer& lowerer, const Paddings& paddings, const std::string& helper = "pad");

// The mistake of taking one framework's "same" padding for the other's: PyTorch's (k - 1) / 2 on both sides
// against TensorFlow's, which depends on the size. For kinds with the settings kernel, strides, padding,
// perhaps dilation.
Mistake same_padding_mistake();

}  // namespace tieout
