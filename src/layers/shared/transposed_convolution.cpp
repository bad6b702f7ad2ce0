#include "layers/shared/transposed_convolution.h"

#include <algorithm>

#include "layers/shared/convolution_settings.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::int64_t reach_of(std::int64_t kernel, std::int64_t dilation) {
  return (kernel - 1) * dilation + 1;
}

Paddings read_torch_cells(const Lifter& lifter, const ConvolutionSettings& s) {
  const auto padding = lifter.settings().integers("padding", s.rank, 0);
  const auto extra = lifter.settings().integers("output_padding", s.rank, 0);
  Paddings cells;
  for (std::size_t k = 0; k < s.rank; ++k) {
    if (padding[k] < 0 || padding[k] >= 1 << 24 || extra[k] < 0 ||
        extra[k] >= std::max(s.strides[k], s.dilation[k])) {
      throw malformed("the padding is negative, or the output_padding not below stride and dilation");
    }
    cells.push_back({padding[k], padding[k] - extra[k]});
  }
  return cells;
}

Paddings read_keras_cells(const Lifter& lifter, const ConvolutionSettings& s) {
  const auto& given = lifter.settings();
  const std::string mode = given.text("padding", "valid");
  if (mode != "valid" && mode != "same") {
    lifter.refuse("the padding \"" + mode + "\" is not known", "use valid or same");
  }
  const auto extra = given.integers("output_padding", s.rank, 0);
  Paddings cells;
  for (std::size_t k = 0; k < s.rank; ++k) {
    KerasTransposed axis{mode == "same", std::nullopt};
    if (given.has("output_padding")) axis.output_padding = extra[k];
    if (axis.output_padding && (extra[k] < 0 || extra[k] >= s.strides[k])) {
      throw malformed("the output_padding is negative or not below the stride");
    }
    if (axis.same && axis.output_padding == 0 && reach_of(s.kernel[k], s.dilation[k]) % 2 == 0) {
      lifter.refuse("TensorFlow refuses padding \"same\" with an even kernel and output_padding 0",
                    "leave output_padding out, or use padding \"valid\" and a cropping layer");
    }
    cells.push_back(cells_cut(axis, s.kernel[k], s.strides[k], s.dilation[k]));
  }
  return cells;
}

// Of a kernel axis of `size` cells: "h{2 1 0}", to be read from its end.
std::string turned(const std::string& axis, std::int64_t size) {
  std::string labels;
  for (std::int64_t at = size; at-- > 0;) labels += (labels.empty() ? "" : " ") + std::to_string(at);
  return axis + "{" + labels + "}";
}

Parameter bias_of(Lifter& lifter, const ConvolutionSettings& s) {
  const AxisSizes sizes{{"o", s.filters}};
  if (!s.has_bias) return lifter.constant("bias", "o", sizes, 0);
  return lifter.parameter("bias", "o", {lifter.term("bias", "o")}, sizes);
}

// With stride 1 it is a convolution with the kernel turned round. That is how a dilated one is read: Keras'
// layer takes a dilation, but TensorFlow does not run it on a CPU.
void add_as_convolution(Lifter& lifter, const ConvolutionSettings& s, const std::vector<int>& order,
                        std::int64_t channels, const Paddings& cut) {
  Layer layer = lifter.layer("conv" + std::to_string(s.rank) + "d");
  Paddings around;
  std::string space;
  for (std::size_t k = 0; k < s.rank; ++k) {
    const std::int64_t reach = reach_of(s.kernel[k], s.dilation[k]);
    around.push_back({reach - 1 - cut[k].low, reach - 1 - cut[k].high});
    space += (space.empty() ? "" : " ") + turned(spatial_names(s.rank)[k], s.kernel[k]);
  }
  layer.settings = {{"kernel", s.kernel},         {"strides", s.strides},    {"dilation", s.dilation},
                    {"padding", to_json(around)}, {"padding_mode", "zeros"}, {"groups", 1},
                    {"filters", s.filters}};
  layer.orders = {order};
  AxisSizes sizes = kernel_sizes(s);
  sizes["o"] = s.filters;
  sizes["i"] = channels;
  layer.parameters.push_back(lifter.parameter(
      "kernel", "o i " + counted_spatial_names(s),
      {lifter.is_torch() ? lifter.term("weight", "i o " + space) : lifter.term("kernel", space + " o i")},
      sizes));
  layer.parameters.push_back(bias_of(lifter, s));
  lifter.add(std::move(layer));
}

void add_transposed(Lifter& lifter, const ConvolutionSettings& s, const std::vector<int>& order,
                    std::int64_t channels, const Paddings& cut) {
  Layer layer = lifter.layer("conv_transpose" + std::to_string(s.rank) + "d");
  layer.settings = {{"kernel", s.kernel},
                    {"strides", s.strides},
                    {"dilation", s.dilation},
                    {"padding", to_json(cut)},
                    {"filters", s.filters}};
  layer.orders = {order};
  AxisSizes sizes = kernel_sizes(s);
  sizes["o"] = s.filters;
  sizes["i"] = channels;
  const std::string space = spaced_spatial_names(s.rank);
  layer.parameters.push_back(lifter.parameter(
      "kernel", "i o " + space,
      {lifter.is_torch() ? lifter.term("weight", "i o " + space) : lifter.term("kernel", space + " o i")},
      sizes));
  layer.parameters.push_back(bias_of(lifter, s));
  lifter.add(std::move(layer));
}

void lift(Lifter& lifter, std::size_t rank) {
  const ConvolutionSettings s = read_convolution_settings(lifter, rank);
  const auto order = image_order(lifter, rank);
  const std::int64_t channels = convolution_channels(lifter, order);
  if (s.filters <= 0) throw malformed("the number of filters must be positive");
  if (s.groups != 1) {
    lifter.refuse("Keras' transposed convolutions have no groups",
                  "write it as one transposed convolution for each group, and concatenate what they give");
  }
  const Paddings cut = lifter.is_torch() ? read_torch_cells(lifter, s) : read_keras_cells(lifter, s);
  const bool dilated = is_all_one(s.strides) && !is_all_one(s.dilation);
  dilated ? add_as_convolution(lifter, s, order, channels, cut)
          : add_transposed(lifter, s, order, channels, cut);
  if (lifter.is_keras()) lifter.add_activation(lifter.settings().raw("activation"));
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

Padding cells_cut(const KerasTransposed& given, std::int64_t kernel, std::int64_t stride,
                  std::int64_t dilation) {
  const std::int64_t reach = reach_of(kernel, dilation);
  if (!given.same) return {0, -given.output_padding.value_or(std::max(reach, stride) - reach)};
  // Of the whole row, all but the size that Keras asks for.
  const std::int64_t both = given.output_padding ? reach - reach % 2 - *given.output_padding : reach - stride;
  const std::int64_t low = std::max<std::int64_t>(both, 0) / 2;
  return {low, both - low};
}

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
  kind.lift = [rank](Lifter& lifter) { lift(lifter, rank); };
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
