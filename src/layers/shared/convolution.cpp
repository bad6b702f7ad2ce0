#include "layers/shared/convolution.h"

#include <algorithm>
#include <numeric>

#include "layers/shared/convolution_cases.h"
#include "layers/shared/convolution_compute.h"
#include "layers/shared/convolution_fast.h"
#include "layers/shared/convolution_mistakes.h"
#include "layers/shared/convolution_settings.h"
#include "layers/shared/convolution_write.h"
#include "layers/shared/separable_convolution.h"
#include "tieout/error.h"

namespace tieout {

namespace {

using Settings = ConvolutionSettings;

void add_parameters(Lifter& lifter, Layer& layer, const Settings& s, std::int64_t channels,
                    bool keras_depthwise) {
  const bool may_be_turned = is_all_one(s.strides) && !is_all_one(s.dilation);
  const std::string space = may_be_turned ? counted_spatial_names(s) : spaced_spatial_names(s.rank);
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
      {"padding", read_convolution_padding(lifter, s, order)},
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
  const bool at_run_time = layer.settings["padding"].is_string();
  const auto paddings = at_run_time ? Paddings(kernel.size()) : paddings_from(layer.settings);
  out[1].size = layer.settings["filters"].get<std::int64_t>();
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    auto& size = out[k + 2].size;
    if (!at_run_time) {
      size = window_count(size, paddings[k], kernel[k], strides[k], dilation[k]);
    } else if (size != unknown) {
      size = (size + strides[k] - 1) / strides[k];
    }
  }
  return {out};
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

using Compute = std::function<std::vector<Array>(const Evaluation&)>;
using ComputeFast = std::function<std::optional<std::vector<Array>>(const Evaluation&)>;

// Computes with the padding that the input's size asks for.
Compute with_padding(const Compute& compute) {
  return [compute](const Evaluation& e) {
    if (e.layer.settings.at("padding").is_array()) return compute(e);
    Layer layer = e.layer;
    layer.settings["padding"] = to_json(padding_for(e.layer, e.inputs.at(0)->shape));
    return compute(Evaluation{layer, e.inputs, e.parameters, {}});
  };
}

ComputeFast with_padding_fast(const ComputeFast& compute) {
  return [compute](const Evaluation& e) -> std::optional<std::vector<Array>> {
    if (e.layer.settings.at("padding").is_array()) return compute(e);
    return std::nullopt;
  };
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
    kind.torch = {{"Conv" + digit + "d", Status::exact, ""},
                  {same_class(rank), Status::exact, ""},
                  lazy_class("LazyConv" + digit + "d")};
    kind.keras = {{"Conv" + digit + "D", Status::exact, ""}};
  }
  kind.lift = [rank](Lifter& lifter) {
    const bool separable = lifter.node().class_name.starts_with("Separable");
    separable ? lift_separable_convolution(lifter, rank) : lift(lifter, rank);
  };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [rank](Lowerer& lowerer) {
    lowerer.to_torch() ? lower_convolution_to_torch(lowerer, rank)
                       : lower_convolution_to_keras(lowerer, rank);
  };
  kind.compute = with_padding(depthwise ? compute_depthwise_convolution : compute_convolution);
  kind.compute_fast = with_padding_fast(depthwise ? convolve_depthwise_fast : convolve_fast);
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
