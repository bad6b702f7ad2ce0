#include <algorithm>
#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
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

// What each channel's sum is made of.
Taps neighbours(const Json& settings, std::int64_t channels) {
  const auto size = settings["size"].get<std::int64_t>();
  const bool keeps_first = settings["keeps_first"].get<bool>();
  const std::int64_t before = keeps_first ? (size - 1) / 2 : size / 2;
  const std::int64_t behind = (size - 1) / 2;
  const double weight = settings["alpha"].get<double>() / static_cast<double>(size);
  Taps taps;
  for (std::int64_t c = 0; c < channels; ++c) {
    std::vector<Tap> cells;
    const std::int64_t first = std::max<std::int64_t>(c - before, 0);
    if (keeps_first && first > 0) cells.push_back({0, weight});
    for (std::int64_t from = first; from <= std::min(c + behind, channels - 1); ++from)
      cells.push_back({from, weight});
    taps.push_back(cells);
  }
  return taps;
}

void lower(Lowerer& lowerer) {
  const Json& given = lowerer.layer().settings;
  if (lowerer.to_keras())
    lowerer.refuse("Keras has no normalisation over neighbouring channels", "use BatchNormalization");
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
    y.data[i] = x.data[i] / std::pow(e.number("k") + y.data[i], e.number("beta"));
  return {y};
}

std::vector<Case> cases() {
  const Json strong = {{"size", 3}, {"alpha", 0.5}, {"beta", 0.6}, {"k", 2.0}};
  std::vector<Case> all = {
      torch_case("default", "LocalResponseNorm", {{"size", 5}}, {2, 7, 4, 5}),
      torch_case("strong", "LocalResponseNorm", strong, {2, 7, 4, 5}),
      torch_case("even, of a sequence", "LocalResponseNorm", {{"size", 4}, {"alpha", 1.0}}, {2, 6, 5}),
      torch_case("default", "CrossMapLRN2d", {{"size", 5}, {"alpha", 0.5}}, {2, 7, 4, 5}),
      torch_case("even", "CrossMapLRN2d", {{"size", 4}, {"alpha", 0.5}, {"k", 2.0}}, {2, 7, 4, 5})};
  for (Case& made : all) made.target_refuses = true;
  return all;
}

}  // namespace

LayerKind local_response_norm() {
  LayerKind kind;
  kind.name = "local_response_norm";
  for (const auto* const name : {"LocalResponseNorm", "CrossMapLRN2d"})
    kind.torch.push_back({name, Status::composed,
                          "read, run and verified; refused on the way to Keras, which has no normalisation "
                          "over neighbouring channels"});
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
