#include <algorithm>
#include <numeric>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/outputs.h"
#include "tensor/product.h"

// y = x W^T + b along the last axis.   x: n ... i   kernel: o i   bias: o   ->   y: n ... o
//
// PyTorch's x may have the batch elsewhere (time first): the canonical order has it in front, which the layer
// needs in Keras.

namespace tieout::layers {

namespace {

// Where the batch, then the other axes lie; empty when the batch is in front already, or not known.
std::vector<int> batch_first(const Lifter& lifter) {
  if (lifter.weights_only() || !lifter.input().known) return {};
  const Axes& axes = lifter.input().axes;
  const auto batch = std::ranges::find(axes, "n", &Axis::name) - axes.begin();
  if (batch == 0 || batch + 1 >= static_cast<std::ptrdiff_t>(axes.size())) return {};
  std::vector<int> order(axes.size());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin(), order.begin() + batch, order.begin() + batch + 1);
  return order;
}

LayoutNeed need(const Layer& layer, Framework) {
  if (layer.orders.empty() || layer.orders[0].empty()) return {LayoutNeed::Kind::source, {}};
  LayoutNeed wanted{LayoutNeed::Kind::canonical, layer.orders[0]};
  std::iota(wanted.order.begin(), wanted.order.end(), 0);
  return wanted;
}

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::int64_t units = given.integer(lifter.is_torch() ? "out_features" : "units");
  bool has_bias = given.flag(lifter.is_torch() ? "bias" : "use_bias", true);
  // A pickled module shows a missing bias by the missing tensor.
  if (lifter.is_torch() && !lifter.node().parameters.empty()) has_bias = lifter.has_variable("bias");
  if (given.has("lora_rank") || given.has("quantization_config")) {
    lifter.refuse("it is quantised or has LoRA weights", "merge or dequantise it in Keras and save again");
  }
  const std::int64_t features = lifter.is_torch() ? given.integer("in_features") : lifter.size(0, -1);
  lifter.expect_size(0, -1, features);
  Layer layer = lifter.layer("dense");
  layer.settings = {{"units", units}};
  layer.orders = {batch_first(lifter)};
  const Term kernel = lifter.is_torch() ? lifter.term("weight", "o i") : lifter.term("kernel", "i o");
  layer.parameters.push_back(
      lifter.parameter("kernel", "o i", {kernel}, {{"o", units}, {"i", features}}, "i"));
  layer.parameters.push_back(has_bias
                                 ? lifter.parameter("bias", "o", {lifter.term("bias", "o")}, {{"o", units}})
                                 : lifter.constant("bias", "o", {{"o", units}}, 0));
  lifter.add(std::move(layer));
  if (lifter.is_keras()) lifter.add_activation(given.raw("activation"));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  out.back() = {inputs[0].back().parts.empty() ? inputs[0].back().name : "f", layer.settings["units"], {}};
  return {out};
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  if (lowerer.to_torch()) {
    Json made = {{"in_features", lowerer.axes().back().size}, {"out_features", settings["units"]}};
    if (!lowerer.stores("bias")) made["bias"] = false;
    lowerer.add("Linear", made);
  } else {
    lowerer.add("Dense", {{"units", settings["units"]}, {"use_bias", lowerer.stores("bias")}});
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& kernel = e.parameter("kernel");
  const Array& bias = e.parameter("bias");
  const std::int64_t units = kernel.size(0);
  const std::int64_t features = kernel.size(1);
  Shape shape = x.shape;
  shape.back() = units;
  Array y(shape);
  const std::size_t rows = y.count() / static_cast<std::size_t>(units);
  for (std::size_t row = 0; row < rows; ++row) {
    const double* from = x.data.data() + row * static_cast<std::size_t>(features);
    double* into = y.data.data() + row * static_cast<std::size_t>(units);
    for (std::int64_t o = 0; o < units; ++o) {
      const double* weights = kernel.data.data() + o * features;
      double sum = bias.data[static_cast<std::size_t>(o)];
      for (std::int64_t i = 0; i < features; ++i) sum += weights[i] * from[i];
      into[o] = sum;
    }
  }
  return {y};
}

std::optional<std::vector<Array>> compute_fast(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& kernel = e.parameter("kernel");
  const Array& bias = e.parameter("bias");
  const std::int64_t units = kernel.size(0);
  const std::int64_t features = kernel.size(1);
  Shape shape = x.shape;
  shape.back() = units;
  Array y(shape);
  const std::int64_t rows = units == 0 ? 0 : static_cast<std::int64_t>(y.count()) / units;
  multiply(matrix_lines(x.data.data(), rows, features), matrix_lines(kernel.data.data(), units, features),
           features, 1, [&](const ProductTile& tile) {
             for (std::int64_t i = 0; i < tile.rows; ++i) {
               double* into = y.data.data() + (tile.row + i) * units + tile.column;
               const double* sums = tile.values + i * tile.stride;
               const double* added = bias.data.data() + tile.column;
               for (std::int64_t j = 0; j < tile.columns; ++j) into[j] = sums[j] + added[j];
             }
           });
  return one_output(std::move(y));
}

// A matrix and perhaps a vector. An embedding's matrix looks the same without bias, so that alone is
// ambiguous.
std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (tensors.empty() || tensors.size() > 2 || tensors[0].second.size() != 2) return std::nullopt;
  const bool torch = framework == Framework::torch;
  const auto& shape = tensors[0].second;
  if (torch && tensors[0].first != "weight") return std::nullopt;
  if (tensors.size() == 2 && tensors[1].second != Shape{torch ? shape[0] : shape[1]}) return std::nullopt;
  const bool has_bias = tensors.size() == 2;
  FrameworkNode node;
  node.class_name = torch ? "Linear" : "Dense";
  node.settings = torch ? Json{{"in_features", shape[1]}, {"out_features", shape[0]}, {"bias", has_bias}}
                        : Json{{"units", shape[1]}, {"use_bias", has_bias}};
  return node;
}

// The rows of a kernel behind a flattened image, in the other framework's order: channels first <-> last.
bool flatten_order(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  if (inputs.empty() || inputs[0].back().parts.empty()) return false;
  std::vector<std::string> own;
  AxisSizes sizes;
  for (const auto& part : inputs[0].back().parts) {
    own.push_back(part.name);
    sizes[part.name] = part.size;
  }
  std::vector<std::string> other = own;
  if (own.front() == "c") {
    std::rotate(other.begin(), other.begin() + 1, other.end());
  } else if (own.back() == "c") {
    std::rotate(other.begin(), other.end() - 1, other.end());
  } else {
    return false;
  }
  Parameter& kernel = layer.parameters.at(0);
  kernel.canonical = replace_axis(kernel.canonical, "i", own);
  for (auto& term : kernel.terms) term.pattern = replace_axis(term.pattern, "i", other);
  kernel.sizes.insert(sizes.begin(), sizes.end());
  return true;
}

bool not_transposed(Layer& layer, Framework framework, const std::vector<Axes>&) {
  Parameter& kernel = layer.parameters.at(0);
  if (kernel.sizes["o"] != kernel.sizes["i"]) return false;
  for (auto& term : kernel.terms) term.pattern = parse_pattern(framework == Framework::torch ? "i o" : "o i");
  return true;
}

}  // namespace

LayerKind dense() {
  LayerKind kind;
  kind.name = "dense";
  kind.torch = {{"Linear", Status::exact, ""},
                {"LazyLinear", Status::refused, "it has no weights yet; call the model once, then save it"}};
  kind.keras = {{"Dense", Status::exact, ""}};
  kind.summary = "y (n ... o) = x (n ... i) W^T + b, along the last axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html",
                  "https://keras.io/api/layers/core_layers/dense/"};
  kind.lift = lift;
  kind.infer = infer;
  // The last axis in both frameworks: an image's channels in Keras, its columns in PyTorch.
  kind.need = need;
  kind.lower = lower;
  kind.compute = compute;
  kind.compute_fast = compute_fast;
  kind.fan_in = [](const Layer& layer) { return static_cast<double>(layer.parameters.at(0).sizes.at("i")); };
  kind.recognise = recognise;
  kind.absorbs_flatten = true;
  kind.mistakes = {
      {"flatten_order", "the rows behind the flattened image stand in the other framework's order",
       flatten_order},
      {"not_transposed", "the square kernel stands as the other framework has it, (out, in) for (in, out)",
       not_transposed}};
  kind.cases = {
      torch_case("default", "Linear", {{"in_features", 5}, {"out_features", 4}}, {3, 5}),
      torch_case("square, no bias", "Linear", {{"in_features", 5}, {"out_features", 5}, {"bias", false}},
                 {3, 5}),
      torch_case("sequence", "Linear", {{"in_features", 5}, {"out_features", 4}}, {2, 3, 5}),
      torch_case("columns of an image", "Linear", {{"in_features", 5}, {"out_features", 6}}, {2, 3, 4, 5}),
      keras_case("default", "Dense", {{"units", 4}}, {3, 5}),
      keras_case("square, no bias", "Dense", {{"units", 5}, {"use_bias", false}}, {3, 5}),
      keras_case("softmax", "Dense", {{"units", 4}, {"activation", "softmax"}}, {3, 5}),
      keras_case("sequence, relu", "Dense", {{"units", 4}, {"activation", "relu"}}, {2, 3, 5}),
      keras_case("channels of an image", "Dense", {{"units", 6}}, {2, 4, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
