#include "layers/shared/transposed_convolution.h"

#include <algorithm>

#include "layers/shared/convolution_settings.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::int64_t reach_of(std::int64_t kernel, std::int64_t dilation) {
  return (kernel - 1) * dilation + 1;
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const auto kernel = numbers_of(layer, "kernel");
  const auto strides = numbers_of(layer, "strides");
  const auto dilation = numbers_of(layer, "dilation");
  const auto cut = paddings_from(layer.settings);
  out[1].size = layer.settings["filters"].get<std::int64_t>();
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    auto& size = out[k + 2].size;
    if (size == unknown) continue;
    size = (size - 1) * strides[k] + reach_of(kernel[k], dilation[k]) - cut[k].low - cut[k].high;
    if (size <= 0) throw malformed("the padding leaves nothing of an axis");
  }
  return {out};
}

// As for a convolution, only a kernel of this rank looks like it; without a bias that tells inputs from
// outputs, it looks like a convolution's.
std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors,
                                       std::size_t rank) {
  if (tensors.size() != 2) return std::nullopt;
  const auto& [name, shape] = tensors[0];
  const bool torch = framework == Framework::torch;
  if (shape.size() != rank + 2 || (torch && name != "weight")) return std::nullopt;
  const std::int64_t in = torch ? shape[0] : shape.back();
  const std::int64_t out = torch ? shape[1] : shape[rank];
  // A Keras kernel with 1 as its last axis is a depthwise one.
  if (in == out || tensors[1].second != Shape{out} || (!torch && in == 1)) return std::nullopt;
  const auto first = shape.begin() + (torch ? 2 : 0);
  const Shape window(first, first + static_cast<std::ptrdiff_t>(rank));
  FrameworkNode node;
  const auto digit = std::to_string(rank);
  if (torch) {
    node.class_name = "ConvTranspose" + digit + "d";
    node.settings = {{"in_channels", in}, {"out_channels", out}, {"kernel_size", window}, {"bias", true}};
  } else {
    node.class_name = "Conv" + digit + "DTranspose";
    node.settings = {{"filters", out}, {"kernel_size", window}, {"use_bias", true}};
  }
  return node;
}

}  // namespace

LayerKind transposed_convolution_kind(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "conv_transpose" + digit + "d";
  kind.summary = "Adds each cell of x (n c " + spaced_spatial_names(rank) +
                 "), times o kernels, to the output around its place.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose" + digit + "d.html",
                  "https://keras.io/api/layers/convolution_layers/"};
  kind.torch = {{"ConvTranspose" + digit + "d", Status::exact, ""},
                lazy_class("LazyConvTranspose" + digit + "d")};
  kind.keras = {{"Conv" + digit + "DTranspose", Status::exact, ""}};
  kind.lift = [rank](Lifter& lifter) { lift_transposed_convolution(lifter, rank); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [rank](Lowerer& lowerer) {
    lowerer.to_torch() ? lower_transposed_to_torch(lowerer, rank) : lower_transposed_to_keras(lowerer, rank);
  };
  kind.compute = compute_transposed_convolution;
  kind.fan_in = [](const Layer& layer) {
    double product = 1;
    for (const auto& [axis, size] : layer.parameters.at(0).sizes) {
      if (axis != "o") product *= static_cast<double>(size);
    }
    return product;
  };
  kind.recognise = [rank](Framework framework, const auto& tensors) {
    return recognise(framework, tensors, rank);
  };
  kind.mistakes = transposed_convolution_mistakes(rank);
  kind.cases = transposed_convolution_cases(rank);
  return kind;
}

}  // namespace tieout
