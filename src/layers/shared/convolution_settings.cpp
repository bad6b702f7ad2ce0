#include "layers/shared/convolution_settings.h"

#include <algorithm>

#include "tieout/error.h"

namespace tieout {

ConvolutionSettings read_convolution_settings(const Lifter& lifter, std::size_t rank) {
  const auto& given = lifter.settings();
  ConvolutionSettings read;
  read.rank = rank;
  read.kernel = given.integers("kernel_size", rank);
  if (lifter.is_torch()) {
    read.strides = given.integers("stride", rank, 1);
    read.dilation = given.integers("dilation", rank, 1);
    read.groups = given.integer("groups", 1);
    read.filters = given.integer("out_channels");
    // A pickled module shows a missing bias by the missing tensor, an architecture of our own by the setting.
    read.has_bias = given.has("bias") ? given.flag("bias", true)
                                      : lifter.node().parameters.empty() || lifter.has_variable("bias");
  } else {
    read.strides = given.integers("strides", rank, 1);
    read.dilation = given.integers("dilation_rate", rank, 1);
    read.groups = given.integer("groups", 1);
    read.filters = given.integer("filters", 0);
    read.has_bias = given.flag("use_bias", true);
  }
  const auto positive = [](const std::vector<std::int64_t>& all) {
    return std::ranges::all_of(all, [](std::int64_t n) { return n > 0 && n < (1 << 24); });
  };
  if (!positive(read.kernel) || !positive(read.strides) || !positive(read.dilation) || read.groups <= 0) {
    throw malformed("kernel sizes, strides, dilations and groups must be positive");
  }
  return read;
}

Paddings read_convolution_padding(Lifter& lifter, const ConvolutionSettings& s,
                                  const std::vector<int>& order) {
  const auto& given = lifter.settings();
  const Json& padding = given.raw("padding");
  if (padding.is_string() || padding.is_null()) {
    const std::string mode = given.text("padding", "valid");
    if (mode == "same") return same_padding(lifter, order, s.kernel, s.strides, s.dilation);
    if (mode == "causal" && s.rank == 1) return {{(s.kernel[0] - 1) * s.dilation[0], 0}};
    if (mode != "valid")
      lifter.refuse("the padding \"" + mode + "\" is not known", "use valid, same or numbers");
    return Paddings(s.rank);
  }
  Paddings paddings;
  for (const std::int64_t p : given.integers("padding", s.rank)) paddings.push_back({p, p});
  return paddings;
}

std::int64_t convolution_channels(Lifter& lifter, const std::vector<int>& order) {
  if (lifter.is_keras()) return lifter.weights_only() ? unknown : lifter.size(0, order[1]);
  const std::int64_t channels = lifter.settings().integer("in_channels");
  if (channels <= 0) throw malformed("the number of input channels must be positive");
  lifter.expect_size(0, order[1], channels);
  return channels;
}

std::string spaced_spatial_names(std::size_t rank) {
  std::string text;
  for (const auto& name : spatial_names(rank)) text += (text.empty() ? "" : " ") + name;
  return text;
}

AxisSizes kernel_sizes(const ConvolutionSettings& settings) {
  AxisSizes sizes;
  for (std::size_t k = 0; k < settings.rank; ++k) sizes[spatial_names(settings.rank)[k]] = settings.kernel[k];
  return sizes;
}

bool is_all_one(const std::vector<std::int64_t>& numbers) {
  return std::ranges::all_of(numbers, [](std::int64_t n) { return n == 1; });
}

std::vector<std::int64_t> numbers_of(const Layer& layer, const std::string& setting) {
  return layer.settings.at(setting).get<std::vector<std::int64_t>>();
}

}  // namespace tieout
