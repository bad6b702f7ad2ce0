// The settings that the classes of convolutions have in common, read from either framework.
#pragma once

#include "layers/shared/spatial.h"

namespace tieout {

struct ConvolutionSettings {
  std::size_t rank = 2;
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilation;
  std::int64_t groups = 1;
  std::int64_t filters = 0;  // 0 for DepthwiseConv, which has no such setting
  bool has_bias = true;
};

// Error(malformed) where a number is out of its range.
ConvolutionSettings read_convolution_settings(const Lifter& lifter, std::size_t rank);

// The setting `padding`: numbers, "valid", "same" or "causal", as cells before and behind each axis, [[low,
// high], ...]; "same" where these depend on a size that is not known before the model runs. `order` as
// image_order gives it.
Json read_convolution_padding(Lifter& lifter, const ConvolutionSettings& settings,
                              const std::vector<int>& order);

// The number of channels that the layer takes, `unknown` where neither settings nor input tell it.
std::int64_t convolution_channels(Lifter& lifter, const std::vector<int>& order);

// "h w", for patterns.
std::string spaced_spatial_names(std::size_t rank);

// "h{0 1 2} w{0 1 2}", the kernel's cells counted, so that they can be found in a kernel that is turned
// round: a dilated transposed convolution is carried as a convolution with such a kernel.
std::string counted_spatial_names(const ConvolutionSettings& settings);

// The sizes of a kernel's spatial axes by name.
AxisSizes kernel_sizes(const ConvolutionSettings& settings);

// A class of torch.nn that turns into the plain one at its first call: a file that still has it has no
// weights.
ClassEntry lazy_class(const std::string& name);

bool is_all_one(const std::vector<std::int64_t>& numbers);

// The padding of the layer for an input n c s... of these sizes.
Paddings padding_for(const Layer& layer, const Shape& input);

// "kernel", "strides", "dilation" of a layer's neutral settings.
std::vector<std::int64_t> numbers_of(const Layer& layer, const std::string& setting);

}  // namespace tieout
