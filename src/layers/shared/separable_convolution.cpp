#include "layers/shared/separable_convolution.h"

#include "layers/shared/convolution_settings.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

namespace tieout {

namespace {

struct Separable {
  ConvolutionSettings common;
  std::int64_t channels = 0;
  std::int64_t multiplier = 1;
  std::vector<int> order;
};

Separable read(Lifter& lifter, std::size_t rank) {
  Separable s;
  s.common = read_convolution_settings(lifter, rank);
  s.order = image_order(lifter, rank);
  s.channels = convolution_channels(lifter, s.order);
  s.multiplier = lifter.settings().integer("depth_multiplier", 1);
  if (s.channels == unknown) {
    lifter.refuse("its number of input channels is not known", "give the input's shape with --input-shape");
  }
  if (s.common.filters <= 0 || s.multiplier <= 0 || s.channels <= 0 || s.multiplier >= 1 << 24) {
    throw malformed("channels, filters and depth_multiplier must be positive");
  }
  return s;
}

void add_depthwise(Lifter& lifter, const Separable& s) {
  const std::size_t rank = s.common.rank;
  const std::string space = spaced_spatial_names(rank);
  // One channel: then it is an ordinary convolution, as it is everywhere else.
  const bool single = s.channels == 1;
  Layer layer = lifter.layer((single ? "conv" : "depthwise_conv") + std::to_string(rank) + "d");
  layer.name += "_depthwise";
  layer.settings = {{"kernel", s.common.kernel},
                    {"strides", s.common.strides},
                    {"dilation", s.common.dilation},
                    {"padding", read_convolution_padding(lifter, s.common, s.order)},
                    {"padding_mode", "zeros"},
                    {"groups", s.channels},
                    {"filters", s.channels * s.multiplier}};
  layer.orders = {s.order};
  AxisSizes sizes = kernel_sizes(s.common);
  AxisSizes bias_sizes;
  sizes[single ? "i" : "c"] = s.channels;
  sizes[single ? "o" : "m"] = s.multiplier;
  bias_sizes[single ? "o" : "m"] = s.multiplier;
  if (!single) bias_sizes["c"] = s.channels;
  layer.parameters.push_back(
      lifter.parameter("kernel", (single ? "o i " : "c m ") + space,
                       {lifter.term("depthwise_kernel", space + (single ? " i o" : " c m"))}, sizes));
  layer.parameters.push_back(lifter.constant("bias", single ? "o" : "c m", bias_sizes, 0));
  lifter.add(std::move(layer));
}

void add_pointwise(Lifter& lifter, const Separable& s) {
  const std::size_t rank = s.common.rank;
  const std::vector<std::int64_t> ones(rank, 1);
  Layer layer = lifter.layer("conv" + std::to_string(rank) + "d");
  layer.name += "_pointwise";
  layer.settings = {{"kernel", ones},
                    {"strides", ones},
                    {"dilation", ones},
                    {"padding", to_json(Paddings(rank))},
                    {"padding_mode", "zeros"},
                    {"groups", 1},
                    {"filters", s.common.filters}};
  layer.orders = {s.order};
  AxisSizes sizes{{"o", s.common.filters}, {"i", s.channels * s.multiplier}};
  for (const auto& name : spatial_names(rank)) sizes[name] = 1;
  const std::string space = spaced_spatial_names(rank);
  layer.parameters.push_back(
      lifter.parameter("kernel", "o i " + space, {lifter.term("pointwise_kernel", space + " i o")}, sizes));
  const AxisSizes bias_sizes{{"o", s.common.filters}};
  layer.parameters.push_back(s.common.has_bias
                                 ? lifter.parameter("bias", "o", {lifter.term("bias", "o")}, bias_sizes)
                                 : lifter.constant("bias", "o", bias_sizes, 0));
  lifter.add(std::move(layer));
}

}  // namespace

void lift_separable_convolution(Lifter& lifter, std::size_t rank) {
  const Separable s = read(lifter, rank);
  add_depthwise(lifter, s);
  add_pointwise(lifter, s);
  lifter.add_activation(lifter.settings().raw("activation"));
}

std::vector<Case> separable_convolution_cases(std::size_t rank) {
  const std::string class_name = "SeparableConv" + std::to_string(rank) + "D";
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const Json& given, Shape sizes, std::int64_t channels = 3,
                       bool channels_first = false) {
    Json settings = {{"filters", 5}, {"kernel_size", 3}};
    settings.update(given);
    sizes.resize(rank);
    Shape shape{2};
    if (channels_first) shape.push_back(channels);
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    if (!channels_first) shape.push_back(channels);
    cases.push_back(keras_case(name, class_name, settings, shape));
  };
  add("default", Json::object(), {8, 7});
  add("multiplier 2, no bias, relu", {{"depth_multiplier", 2}, {"use_bias", false}, {"activation", "relu"}},
      {8, 7});
  add("same, even size", {{"padding", "same"}, {"activation", "tanh"}}, {8, 6});
  add("same, stride 2, even size", {{"padding", "same"}, {"strides", 2}, {"depth_multiplier", 3}}, {8, 6});
  add("same, stride 2, odd size", {{"padding", "same"}, {"strides", 2}}, {7, 9});
  add("same, window 4, stride 2", {{"padding", "same"}, {"kernel_size", 4}, {"strides", 2}}, {9, 6});
  add("valid, stride 3", {{"strides", 3}}, {9, 8});
  add("dilation 2", {{"dilation_rate", 2}, {"padding", "same"}}, {8, 7});
  add("stride 2, dilation 2, same", {{"strides", 2}, {"dilation_rate", 2}, {"padding", "same"}}, {8, 7});
  add("one channel", {{"depth_multiplier", 2}}, {8, 7}, 1);
  add("channels first", {{"data_format", "channels_first"}, {"padding", "same"}, {"strides", 2}}, {8, 7}, 3,
      true);
  if (rank == 2) {
    add("uneven window", {{"kernel_size", {3, 2}}, {"padding", "same"}, {"dilation_rate", {1, 2}}}, {8, 7});
  }
  return cases;
}

}  // namespace tieout
