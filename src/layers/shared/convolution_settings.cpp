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

namespace {

// The classes whose padding is always "same".
bool is_same_class(const Lifter& lifter) {
  return lifter.is_torch() && lifter.node().class_name.starts_with("tieout.Same");
}

bool is_size_missing(const Lifter& lifter, const ConvolutionSettings& s, const std::vector<int>& order) {
  for (std::size_t k = 0; k < s.rank; ++k) {
    if (s.strides[k] > 1 && lifter.size(0, order.at(k + 2)) == unknown) return true;
  }
  return false;
}

}  // namespace

Json read_convolution_padding(Lifter& lifter, const ConvolutionSettings& s, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  const Json& padding = given.raw("padding");
  if (padding.is_string() || padding.is_null()) {
    const std::string mode = is_same_class(lifter) ? "same" : given.text("padding", "valid");
    if (mode == "same") {
      if (!lifter.weights_only() && is_size_missing(lifter, s, order)) return "same";
      return to_json(same_padding(lifter, order, s.kernel, s.strides, s.dilation));
    }
    if (mode == "causal" && s.rank == 1) return to_json({{(s.kernel[0] - 1) * s.dilation[0], 0}});
    if (mode != "valid")
      lifter.refuse("the padding \"" + mode + "\" is not known", "use valid, same or numbers");
    return to_json(Paddings(s.rank));
  }
  Paddings paddings;
  for (const std::int64_t p : given.integers("padding", s.rank)) paddings.push_back({p, p});
  return to_json(paddings);
}

Paddings padding_for(const Layer& layer, const Shape& input) {
  if (layer.settings.at("padding").is_array()) return paddings_from(layer.settings);
  const auto kernel = numbers_of(layer, "kernel");
  const auto strides = numbers_of(layer, "strides");
  const auto dilation = numbers_of(layer, "dilation");
  Paddings paddings;
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    const std::int64_t size = input.at(k + 2);
    const std::int64_t windows = (size + strides[k] - 1) / strides[k];
    const std::int64_t reach = (kernel[k] - 1) * dilation[k] + 1;
    const std::int64_t total = std::max<std::int64_t>((windows - 1) * strides[k] + reach - size, 0);
    paddings.push_back({total / 2, total - total / 2});
  }
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

std::string counted_spatial_names(const ConvolutionSettings& settings) {
  std::string text;
  for (std::size_t k = 0; k < settings.rank; ++k) {
    text += (text.empty() ? "" : " ") + spatial_names(settings.rank)[k] + "{";
    for (std::int64_t at = 0; at < settings.kernel[k]; ++at) text += (at > 0 ? " " : "") + std::to_string(at);
    text += "}";
  }
  return text;
}

AxisSizes kernel_sizes(const ConvolutionSettings& settings) {
  AxisSizes sizes;
  for (std::size_t k = 0; k < settings.rank; ++k) sizes[spatial_names(settings.rank)[k]] = settings.kernel[k];
  return sizes;
}

ClassEntry lazy_class(const std::string& name) {
  return {
      name, Status::refused,
      "it was never called, so its sizes are not known and it has no weights: call it once, which makes it "
      "the class without Lazy, and save it again"};
}

bool is_all_one(const std::vector<std::int64_t>& numbers) {
  return std::ranges::all_of(numbers, [](std::int64_t n) { return n == 1; });
}

std::vector<std::int64_t> numbers_of(const Layer& layer, const std::string& setting) {
  return layer.settings.at(setting).get<std::vector<std::int64_t>>();
}

}  // namespace tieout
