#include "layers/shared/convolution.h"

#include <algorithm>
#include <numeric>

#include "layers/shared/convolution_cases.h"
#include "layers/shared/convolution_compute.h"
#include "layers/shared/convolution_mistakes.h"
#include "layers/shared/convolution_settings.h"
#include "layers/shared/separable_convolution.h"
#include "tieout/error.h"

namespace tieout {

namespace {

using Settings = ConvolutionSettings;

void add_parameters(Lifter& lifter, Layer& layer, const Settings& s, std::int64_t channels,
                    bool keras_depthwise) {
  const std::string space = spaced_spatial_names(s.rank);
  AxisSizes sizes = kernel_sizes(s);
  const bool depthwise = layer.kind.starts_with("depthwise");
  AxisSizes bias_sizes;
  std::string kernel_axes = "o i " + space;
  std::string torch_axes = kernel_axes;
  std::string keras_axes = space + " i o";
  std::string bias_axes = "o";
  if (depthwise) {
    kernel_axes = "c m " + space;
    torch_axes = "(c m) 1 " + space;
    keras_axes = keras_depthwise ? space + " c m" : space + " 1 (c m)";
    bias_axes = "(c m)";
    sizes["c"] = bias_sizes["c"] = channels;
    sizes["m"] = bias_sizes["m"] = layer.settings["filters"].get<std::int64_t>() / channels;
  } else {
    sizes["o"] = bias_sizes["o"] = s.filters;
    sizes["i"] = channels == unknown ? unknown : channels / s.groups;
  }
  const std::string keras_name = keras_depthwise ? "depthwise_kernel" : "kernel";
  layer.parameters.push_back(lifter.parameter(
      "kernel", kernel_axes,
      {lifter.is_torch() ? lifter.term("weight", torch_axes) : lifter.term(keras_name, keras_axes)}, sizes));
  layer.parameters.push_back(s.has_bias ? lifter.parameter("bias", depthwise ? "c m" : "o",
                                                           {lifter.term("bias", bias_axes)}, bias_sizes)
                                        : lifter.constant("bias", depthwise ? "c m" : "o", bias_sizes, 0));
}

void lift(Lifter& lifter, std::size_t rank) {
  const bool keras_depthwise = lifter.node().class_name.starts_with("Depthwise");
  Settings s = read_convolution_settings(lifter, rank);
  const auto order = image_order(lifter, rank);
  const std::int64_t channels = convolution_channels(lifter, order);
  if (channels == unknown && (keras_depthwise || s.groups > 1)) {
    lifter.refuse("its number of input channels is not known", "give the input's shape with --input-shape");
  }
  if (keras_depthwise) {
    s.groups = channels;
    s.filters = channels * lifter.settings().integer("depth_multiplier", 1);
  }
  if ((channels != unknown && channels % s.groups != 0) || s.filters % s.groups != 0 || s.filters <= 0) {
    throw malformed("channels and filters must be multiples of groups");
  }
  const bool depthwise = s.groups > 1 && s.groups == channels;
  Layer layer = lifter.layer((depthwise ? "depthwise_conv" : "conv") + std::to_string(rank) + "d");
  layer.settings = {
      {"kernel", s.kernel},
      {"strides", s.strides},
      {"dilation", s.dilation},
      {"padding", to_json(read_convolution_padding(lifter, s, order))},
      {"padding_mode", lifter.is_torch() ? lifter.settings().text("padding_mode", "zeros") : "zeros"},
      {"groups", s.groups},
      {"filters", s.filters}};
  layer.orders = {order};
  // With one channel, DepthwiseConv2D's kernel is a Conv2D's: (h, w, 1, m) is h w i o.
  add_parameters(lifter, layer, s, channels, keras_depthwise && depthwise);
  lifter.add(std::move(layer));
  if (lifter.is_keras()) lifter.add_activation(lifter.settings().raw("activation"));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const auto kernel = numbers_of(layer, "kernel");
  const auto strides = numbers_of(layer, "strides");
  const auto dilation = numbers_of(layer, "dilation");
  const auto paddings = paddings_from(layer.settings);
  out[1].size = layer.settings["filters"].get<std::int64_t>();
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    out[k + 2].size = window_count(out[k + 2].size, paddings[k], kernel[k], strides[k], dilation[k]);
  }
  return {out};
}

// The padding that both frameworks call "same", where that does not depend on the size: stride 1.
Paddings same_at_stride_one(const std::vector<std::int64_t>& kernel,
                            const std::vector<std::int64_t>& dilation) {
  Paddings paddings;
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    const std::int64_t total = (kernel[k] - 1) * dilation[k];
    paddings.push_back({total / 2, total - total / 2});
  }
  return paddings;
}

std::int64_t source_channels(const Layer& layer, const Lowerer& lowerer) {
  const auto& order = layer.orders.at(0);
  return lowerer.source_axes().at(static_cast<std::size_t>(order.at(1))).size;
}

void lower_torch(Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const auto kernel = numbers_of(layer, "kernel");
  const auto dilation = numbers_of(layer, "dilation");
  const auto strides = numbers_of(layer, "strides");
  const auto paddings = paddings_from(layer.settings);
  Json settings = {{"in_channels", source_channels(layer, lowerer)},
                   {"out_channels", layer.settings["filters"]},
                   {"kernel_size", kernel}};
  if (!is_all_one(strides)) settings["stride"] = strides;
  const bool symmetric = std::ranges::all_of(paddings, [](const Padding& p) { return p.low == p.high; });
  if (symmetric && paddings != Paddings(rank)) {
    settings["padding"] = Json::array();
    for (const auto& p : paddings) settings["padding"].push_back(p.low);
  } else if (!symmetric && is_all_one(strides) && paddings == same_at_stride_one(kernel, dilation)) {
    settings["padding"] = "same";
  } else if (!symmetric) {
    add_zero_padding(lowerer, paddings);
  }
  if (!is_all_one(dilation)) settings["dilation"] = dilation;
  if (layer.settings["groups"] != 1) settings["groups"] = layer.settings["groups"];
  if (!lowerer.stores("bias")) settings["bias"] = false;
  if (layer.settings["padding_mode"] != "zeros") settings["padding_mode"] = layer.settings["padding_mode"];
  lowerer.add("Conv" + std::to_string(rank) + "d", settings);
}

void lower_keras(Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const auto kernel = numbers_of(layer, "kernel");
  const auto dilation = numbers_of(layer, "dilation");
  const auto strides = numbers_of(layer, "strides");
  const auto paddings = paddings_from(layer.settings);
  if (layer.settings["padding_mode"] != "zeros" && paddings != Paddings(rank)) {
    lowerer.refuse("padding_mode " + layer.settings["padding_mode"].dump() + " has no Keras layer",
                   "use padding_mode='zeros', or pad the input before the model");
  }
  const std::int64_t groups = layer.settings["groups"].get<std::int64_t>();
  const std::int64_t filters = layer.settings["filters"].get<std::int64_t>();
  // DepthwiseConv2D fails on strides that differ; a Conv2D with as many groups as channels is the same layer.
  // Only a DepthwiseConv takes strides and a dilation above 1 together.
  const bool both = !is_all_one(strides) && !is_all_one(dilation);
  const bool even = std::ranges::adjacent_find(strides, std::not_equal_to<>()) == strides.end();
  const bool depthwise = layer.kind.starts_with("depthwise") && (even || both) && rank < 3;
  const bool subsampled = both && !depthwise;
  Json settings = {{"kernel_size", kernel},
                   {"strides", subsampled ? std::vector<std::int64_t>(rank, 1) : strides},
                   {"padding", "valid"}};
  if (paddings != Paddings(rank)) {
    if (is_all_one(strides) && paddings == same_at_stride_one(kernel, dilation)) {
      settings["padding"] = "same";
    } else if (rank == 1 && paddings[0] == Padding{(kernel[0] - 1) * dilation[0], 0}) {
      settings["padding"] = "causal";
    } else {
      add_zero_padding(lowerer, paddings);
    }
  }
  settings["dilation_rate"] = dilation;
  settings["use_bias"] = lowerer.stores("bias");
  if (depthwise) {
    settings["depth_multiplier"] = filters / groups;
    lowerer.add("DepthwiseConv" + std::to_string(rank) + "D", settings);
    return;
  }
  settings["filters"] = filters;
  settings["groups"] = groups;
  lowerer.add("Conv" + std::to_string(rank) + "D", settings);
  // The mean of one cell takes each s-th one. (TensorFlow has no MaxPool3D for float64.)
  if (subsampled) {
    lowerer.add("AveragePooling" + std::to_string(rank) + "D", {{"pool_size", 1}, {"strides", strides}}, {},
                "subsample");
  }
}

// Groups of tensors without architecture: only a kernel of this rank looks like it. Stride, padding and
// dilation cannot be seen; they do not matter to the weights.
std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors,
                                       std::size_t rank) {
  if (tensors.empty() || tensors.size() > 2) return std::nullopt;
  const auto& [name, shape] = tensors[0];
  const bool torch = framework == Framework::torch;
  if (shape.size() != rank + 2 || (torch && name != "weight")) return std::nullopt;
  if (tensors.size() == 2 && tensors[1].second != Shape{torch ? shape[0] : shape.back()}) return std::nullopt;
  FrameworkNode node;
  const auto digit = std::to_string(rank);
  const bool has_bias = tensors.size() == 2;
  if (torch) {
    node.class_name = "Conv" + digit + "d";
    node.settings = {{"in_channels", shape[1]},
                     {"out_channels", shape[0]},
                     {"kernel_size", Shape(shape.begin() + 2, shape.end())},
                     {"bias", has_bias}};
  } else {
    node.class_name = "Conv" + digit + "D";
    node.settings = {{"filters", shape.back()},
                     {"kernel_size", Shape(shape.begin(), shape.end() - 2)},
                     {"use_bias", has_bias}};
  }
  return node;
}

}  // namespace

LayerKind convolution_kind(std::size_t rank, bool depthwise) {
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = (depthwise ? "depthwise_conv" : "conv") + digit + "d";
  kind.summary =
      depthwise ? "Convolves each channel c of x (n c " + spaced_spatial_names(rank) +
                      ") with m kernels of its own."
                : "Convolves x (n c " + spaced_spatial_names(rank) + ") with o kernels (cross-correlation).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv" + digit + "d.html",
                  "https://keras.io/api/layers/convolution_layers/"};
  if (depthwise) {
    kind.keras = {
        {"DepthwiseConv" + digit + "D", Status::exact, ""},
        {"SeparableConv" + digit + "D", Status::composed,
         "a depthwise convolution and one of " + std::string(rank == 1 ? "1 cell" : "1 x 1 cells")}};
  } else {
    kind.torch = {{"Conv" + digit + "d", Status::exact, ""}};
    kind.keras = {{"Conv" + digit + "D", Status::exact, ""}};
  }
  kind.lift = [rank](Lifter& lifter) {
    const bool separable = lifter.node().class_name.starts_with("Separable");
    separable ? lift_separable_convolution(lifter, rank) : lift(lifter, rank);
  };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [rank](Lowerer& lowerer) {
    lowerer.to_torch() ? lower_torch(lowerer, rank) : lower_keras(lowerer, rank);
  };
  kind.compute = depthwise ? compute_depthwise_convolution : compute_convolution;
  kind.fan_in = [](const Layer& layer) {
    double product = 1;
    for (const auto& [axis, size] : layer.parameters.at(0).sizes) {
      if (axis != "o" && axis != "m" && (axis != "c" || !layer.kind.starts_with("depthwise")))
        product *= static_cast<double>(size);
    }
    return product;
  };
  if (!depthwise) {
    kind.recognise = [rank](Framework framework, const auto& tensors) {
      return recognise(framework, tensors, rank);
    };
  }
  kind.mistakes = convolution_mistakes(rank, depthwise);
  kind.cases = convolution_cases(rank, depthwise);
  if (depthwise) {
    for (auto& test : separable_convolution_cases(rank)) kind.cases.push_back(std::move(test));
  }
  return kind;
}

}  // namespace tieout
