#include <algorithm>

#include "layers/shared/composition.h"
#include "layers/shared/convolution_settings.h"
#include "layers/shared/padding.h"
#include "layers/shared/transposed_convolution.h"
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

// What is read of the node, and which of its groups is meant.
struct Transposed {
  ConvolutionSettings common;
  std::vector<int> order;
  std::int64_t channels = unknown;
  Paddings cut;
  std::int64_t group = 0;

  [[nodiscard]] std::int64_t own_channels() const {
    return channels == unknown ? unknown : channels / common.groups;
  }
  [[nodiscard]] std::int64_t own_filters() const { return common.filters / common.groups; }
  // The group's share of an axis that holds those of all groups: "(g{1 of 0 1} i)".
  [[nodiscard]] std::string share(const std::string& axis) const {
    if (common.groups == 1) return axis;
    std::string labels;
    for (std::int64_t k = 0; k < common.groups; ++k) labels += " " + std::to_string(k);
    return "(g{" + std::to_string(group) + " of" + labels + "} " + axis + ")";
  }
};

// PyTorch: i o space, the groups along i; Keras, which has no groups: space o i.
Term kernel_term(Lifter& lifter, const Transposed& t, const std::string& space) {
  return lifter.is_torch() ? lifter.term("weight", t.share("i") + " o " + space)
                           : lifter.term("kernel", space + " o i");
}

void add_parameters(Lifter& lifter, Layer& layer, const Transposed& t, const std::string& canonical,
                    const std::string& space) {
  AxisSizes sizes = kernel_sizes(t.common);
  sizes["o"] = t.own_filters();
  sizes["i"] = t.own_channels();
  layer.parameters.push_back(lifter.parameter("kernel", canonical, {kernel_term(lifter, t, space)}, sizes));
  const AxisSizes bias_sizes{{"o", t.own_filters()}};
  layer.parameters.push_back(
      t.common.has_bias ? lifter.parameter("bias", "o", {lifter.term("bias", t.share("o"))}, bias_sizes)
                        : lifter.constant("bias", "o", bias_sizes, 0));
}

// With stride 1 it is a convolution with the kernel turned round. That is how a dilated one is read: Keras'
// layer takes a dilation, but TensorFlow does not run it on a CPU.
Layer as_convolution(Lifter& lifter, const Transposed& t) {
  const ConvolutionSettings& s = t.common;
  Layer layer = lifter.layer("conv" + std::to_string(s.rank) + "d");
  Paddings around;
  std::string space;
  for (std::size_t k = 0; k < s.rank; ++k) {
    const std::int64_t reach = reach_of(s.kernel[k], s.dilation[k]);
    around.push_back({reach - 1 - t.cut[k].low, reach - 1 - t.cut[k].high});
    space += (space.empty() ? "" : " ") + turned(spatial_names(s.rank)[k], s.kernel[k]);
  }
  layer.settings = {{"kernel", s.kernel},         {"strides", s.strides},    {"dilation", s.dilation},
                    {"padding", to_json(around)}, {"padding_mode", "zeros"}, {"groups", 1},
                    {"filters", t.own_filters()}};
  add_parameters(lifter, layer, t, "o i " + counted_spatial_names(s), space);
  return layer;
}

Layer as_transposed(Lifter& lifter, const Transposed& t) {
  const ConvolutionSettings& s = t.common;
  Layer layer = lifter.layer("conv_transpose" + std::to_string(s.rank) + "d");
  layer.settings = {{"kernel", s.kernel},
                    {"strides", s.strides},
                    {"dilation", s.dilation},
                    {"padding", to_json(t.cut)},
                    {"filters", t.own_filters()}};
  const std::string space = spaced_spatial_names(s.rank);
  add_parameters(lifter, layer, t, "i o " + space, space);
  return layer;
}

Layer made(Lifter& lifter, const Transposed& t) {
  const bool dilated = is_all_one(t.common.strides) && !is_all_one(t.common.dilation);
  Layer layer = dilated ? as_convolution(lifter, t) : as_transposed(lifter, t);
  layer.orders = {t.order};
  return layer;
}

bool is_strided_and_dilated(const ConvolutionSettings& s) {
  return !is_all_one(s.strides) && !is_all_one(s.dilation);
}

// Strides and sizes are a file's: the cells must be few enough to be listed.
bool can_spread(const Lifter& lifter, const Transposed& t) {
  if (lifter.weights_only()) return false;
  for (std::size_t k = 0; k < t.common.rank; ++k) {
    const std::int64_t size = lifter.size(0, t.order[k + 2]);
    const std::int64_t stride = t.common.strides[k];
    if (stride != 1 && (size == unknown || size > (1 << 20) / stride)) return false;
  }
  return true;
}

// Puts the cells `strides` apart, zeros between them, which leaves a transposed convolution of stride 1: a
// zero behind the last cell of an axis, and a take of that between the cells.
void spread(Lifter& lifter, Transposed& t) {
  const std::size_t rank = t.common.rank;
  std::vector<std::int64_t> sizes;
  Paddings zero(rank);
  for (std::size_t k = 0; k < rank; ++k) {
    sizes.push_back(lifter.size(0, t.order[k + 2]));
    if (t.common.strides[k] != 1) zero[k].high = 1;
  }
  Layer padded = lifter.layer("pad" + std::to_string(rank) + "d");
  padded.name += "_zero";
  padded.settings = zero_padding(to_json(zero));
  padded.orders = {t.order};
  lifter.add(std::move(padded));
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t stride = t.common.strides[k];
    if (stride == 1) continue;
    std::vector<std::int64_t> cells;
    for (std::int64_t at = 0; at < (sizes[k] - 1) * stride + 1; ++at)
      cells.push_back(at % stride == 0 ? at / stride : sizes[k]);
    add_part(lifter, "take", {{"axis", t.order[k + 2]}, {"indices", cells}},
             "spread_" + spatial_names(rank)[k]);
    t.common.strides[k] = 1;
  }
}

// Keras' layer has no groups: each is a layer of its own, NAME_group0 and so on, that takes its share of the
// channels.
void add_groups(Lifter& lifter, Transposed t) {
  const std::vector<int> input = lifter.outputs();
  std::vector<int> parts;
  for (t.group = 0; t.group < t.common.groups; ++t.group) {
    const std::string number = std::to_string(t.group);
    std::vector<std::int64_t> indices;
    for (std::int64_t k = 0; k < t.own_channels(); ++k) indices.push_back(t.group * t.own_channels() + k);
    Layer take = lifter.layer("take");
    take.name = lifter.node().name + "_input" + number;
    take.inputs = input;
    take.settings = {{"axis", 1}, {"indices", indices}};
    if (!lifter.weights_only()) lifter.add(std::move(take));
    Layer layer = made(lifter, t);
    layer.name = lifter.node().name + "_group" + number;
    const auto outputs = lifter.add(std::move(layer));
    parts.insert(parts.end(), outputs.begin(), outputs.end());
  }
  if (lifter.weights_only()) return;
  Layer all = lifter.layer("concatenate");
  all.inputs = parts;
  all.settings = {{"axis", 1}};
  lifter.add(std::move(all));
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

void lift_transposed_convolution(Lifter& lifter, std::size_t rank) {
  Transposed t;
  t.common = read_convolution_settings(lifter, rank);
  t.order = image_order(lifter, rank);
  t.channels = convolution_channels(lifter, t.order);
  const std::int64_t groups = t.common.groups;
  if (t.common.filters <= 0 || (lifter.is_keras() && groups != 1) || t.common.filters % groups != 0 ||
      groups > 1 << 16 || (t.channels != unknown && t.channels % groups != 0)) {
    throw malformed("channels and filters must be multiples of groups");
  }
  t.cut = lifter.is_torch() ? read_torch_cells(lifter, t.common) : read_keras_cells(lifter, t.common);
  // Keras has both in no layer.
  if (is_strided_and_dilated(t.common) && can_spread(lifter, t)) spread(lifter, t);
  if (groups > 1 && lifter.is_torch()) {
    add_groups(lifter, t);
  } else {
    lifter.add(made(lifter, t));
  }
  if (lifter.is_keras()) lifter.add_activation(lifter.settings().raw("activation"));
}

}  // namespace tieout
