#include <algorithm>
#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/spatial.h"
#include "layers/shared/taps.h"
#include "tieout/error.h"

// y_c = x_c / (k + alpha / size * sum of x^2 over the channels around c)^beta.   x: n c s...   ->   y: n c
// s...
//
// Settings: size, alpha, beta, k; keeps_first: PyTorch's CrossMapLRN2d never takes the first channel out of
// its running sum again (torch/nn/modules/_functions.py), and its even sizes are one less.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (!lifter.input().known)
    lifter.refuse("it depends on the number of the input's axes, which is not known",
                  "give it with --input-shape");
  const std::size_t rank = lifter.input().axes.size();
  if (rank < 3 || rank > 5) throw malformed("it takes inputs of 3 to 5 axes");
  const std::int64_t size = given.integer("size");
  if (size < 1 || size > (1 << 20)) throw malformed("the setting size should be positive");
  Layer layer = lifter.layer("local_response_norm");
  layer.orders = {image_order(lifter, rank - 2)};
  layer.settings = {{"size", size},
                    {"alpha", given.number("alpha", 1e-4)},
                    {"beta", given.number("beta", 0.75)},
                    {"k", given.number("k", 1)},
                    {"keeps_first", lifter.node().class_name == "CrossMapLRN2d"}};
  lifter.add(std::move(layer));
}

// What each channel's sum is made of; each tap weighs 1.
Taps neighbours(const Json& settings, std::int64_t channels) {
  const auto size = settings["size"].get<std::int64_t>();
  const bool keeps_first = settings["keeps_first"].get<bool>();
  const std::int64_t before = keeps_first ? (size - 1) / 2 : size / 2;
  const std::int64_t behind = (size - 1) / 2;
  Taps taps;
  for (std::int64_t c = 0; c < channels; ++c) {
    std::vector<Tap> cells;
    const std::int64_t first = std::max<std::int64_t>(c - before, 0);
    if (keeps_first && first > 0) cells.push_back({0, 1});
    for (std::int64_t from = first; from <= std::min(c + behind, channels - 1); ++from)
      cells.push_back({from, 1});
    taps.push_back(cells);
  }
  return taps;
}

double factor(const Json& settings) {
  return settings["alpha"].get<double>() / settings["size"].get<double>();
}

void add_with_number(Lowerer& lowerer, const std::string& operation, const Json& number,
                     const std::string& helper) {
  lowerer.add_node(operator_node("numpy", operation, Json::object(), Json::array({{{"input", 0}}, number})),
                   helper);
}

// keras.ops Take lays out each channel's neighbours, an Einsum sums them.
void lower_to_keras(Lowerer& lowerer) {
  const Json& given = lowerer.layer().settings;
  const ValueRef x = lowerer.inputs().at(0);
  const std::size_t channels = lowerer.axes().size() - 1;
  const std::int64_t count = lowerer.axes().back().size;
  if (count == unknown)
    lowerer.refuse("it depends on the number of channels, which is not known", "give it with --input-shape");
  lowerer.add_node(operator_node("numpy", "Square", Json::object()), "square");
  add_keras_taps(lowerer, channels, neighbours(given, count), "sum");
  add_with_number(lowerer, "Multiply", factor(given), "scale");
  add_with_number(lowerer, "Add", given["k"], "offset");
  add_with_number(lowerer, "Power", given["beta"], "power");
  FrameworkNode quotient = operator_node("numpy", "TrueDivide", Json::object());
  quotient.inputs = {{x, {}}, {lowerer.inputs().at(0), {}}};
  lowerer.add_node(std::move(quotient));
}

void lower(Lowerer& lowerer) {
  const Json& given = lowerer.layer().settings;
  if (lowerer.to_keras()) {
    lower_to_keras(lowerer);
    return;
  }
  Json settings = {{"size", given["size"]}};
  for (const auto& [name, usual] : {std::pair{"alpha", 1e-4}, {"beta", 0.75}, {"k", 1.0}}) {
    if (given[name].get<double>() != usual) settings[name] = given[name];
  }
  lowerer.add(given["keeps_first"].get<bool>() ? "CrossMapLRN2d" : "LocalResponseNorm", settings);
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  Array squares = x;
  for (double& value : squares.data) value *= value;
  Array y = apply_taps(squares, 1, neighbours(e.layer.settings, x.size(1)));
  for (std::size_t i = 0; i < y.count(); ++i)
    y.data[i] = x.data[i] / std::pow(e.number("k") + factor(e.layer.settings) * y.data[i], e.number("beta"));
  return {y};
}

std::vector<Case> cases() {
  const Json strong = {{"size", 3}, {"alpha", 0.5}, {"beta", 0.6}, {"k", 2.0}};
  return {torch_case("default", "LocalResponseNorm", {{"size", 5}}, {2, 7, 4, 5}),
          torch_case("strong", "LocalResponseNorm", strong, {2, 7, 4, 5}),
          torch_case("even, of a sequence", "LocalResponseNorm", {{"size", 4}, {"alpha", 1.0}}, {2, 6, 5}),
          torch_case("default", "CrossMapLRN2d", {{"size", 5}, {"alpha", 0.5}}, {2, 7, 4, 5}),
          torch_case("even", "CrossMapLRN2d", {{"size", 4}, {"alpha", 0.5}, {"k", 2.0}}, {2, 7, 4, 5})};
}

}  // namespace

LayerKind local_response_norm() {
  LayerKind kind;
  kind.name = "local_response_norm";
  for (const auto* const name : {"LocalResponseNorm", "CrossMapLRN2d"})
    kind.torch.push_back({name, Status::composed,
                          "keras.ops Square, Take and Einsum over neighbouring channels, Multiply, Add, "
                          "Power, TrueDivide"});
  kind.summary = "Divides x (n c s...) by a power of the sum of squares over neighbouring channels.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html"};
  kind.lift = lift;
  kind.need = [](const Layer& layer, Framework target) {
    return image_need(layer.orders[0].size() - 2, target);
  };
  kind.lower = lower;
  kind.compute = compute;
  kind.fan_in = [](const Layer& layer) { return layer.settings["size"].get<double>(); };
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
