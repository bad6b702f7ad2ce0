#include "layers/shared/lp_pool.h"

#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"
#include "layers/shared/spatial.h"
#include "layers/shared/taps.h"
#include "tieout/error.h"

namespace tieout {

namespace {

void lift(Lifter& lifter, std::size_t rank) {
  const auto& given = lifter.settings();
  const auto order = image_order(lifter, rank);
  const auto kernel = given.integers("kernel_size", rank);
  const auto strides = given.has("stride") ? given.integers("stride", rank) : kernel;
  for (std::size_t k = 0; k < rank; ++k) {
    if (kernel[k] < 1 || strides[k] < 1) throw malformed("window sizes and strides must be positive");
  }
  const double norm = given.number("norm_type", 2);
  if (!std::isfinite(norm) || norm == 0)
    lifter.refuse("its norm_type is not a finite power", "use nn.MaxPool of the absolute values");
  Layer layer = lifter.layer("lp_pool" + std::to_string(rank) + "d");
  layer.orders = {order};
  layer.settings = {
      {"norm", norm}, {"kernel", kernel}, {"strides", strides}, {"ceil", given.flag("ceil_mode", false)}};
  lifter.add(std::move(layer));
}

std::int64_t windows(const Json& settings, std::size_t axis, std::int64_t size) {
  const auto kernel = settings["kernel"][axis].get<std::int64_t>();
  const auto stride = settings["strides"][axis].get<std::int64_t>();
  if (size == unknown) return unknown;
  if (!settings["ceil"].get<bool>()) return window_count(size, {}, kernel, stride, 1);
  if (size < kernel) throw malformed("a window does not fit into an input of " + std::to_string(size));
  const std::int64_t count = (size - kernel + stride - 1) / stride + 1;
  return (count - 1) * stride >= size ? count - 1 : count;
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  for (std::size_t k = 2; k < out.size(); ++k) out[k].size = windows(layer.settings, k - 2, out[k].size);
  return {out};
}

// The sum over a window is a sum along one axis after the other.
Taps sums(const Json& settings, std::size_t axis, std::int64_t size) {
  const auto kernel = settings["kernel"][axis].get<std::int64_t>();
  const auto stride = settings["strides"][axis].get<std::int64_t>();
  Taps taps;
  for (std::int64_t at = 0; at < windows(settings, axis, size); ++at) {
    std::vector<Tap> cells;
    const std::int64_t end = std::min(at * stride + kernel, size);
    const double weight = static_cast<double>(kernel) / static_cast<double>(end - at * stride);
    for (std::int64_t from = at * stride; from < end; ++from) cells.push_back({from, weight});
    taps.push_back(cells);
  }
  return taps;
}

void lower(Lowerer& lowerer, std::size_t rank) {
  const Json& given = lowerer.layer().settings;
  if (lowerer.to_keras()) lowerer.refuse("Keras has no pooling by a norm", "use average or max pooling");
  Json settings = {{"norm_type", given["norm"]},
                   {"kernel_size", rank == 1 ? given["kernel"][0] : given["kernel"]},
                   {"stride", rank == 1 ? given["strides"][0] : given["strides"]}};
  if (given["ceil"].get<bool>()) settings["ceil_mode"] = true;
  lowerer.add("LPPool" + std::to_string(rank) + "d", settings);
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  const double norm = e.number("norm");
  for (double& value : y.data) value = std::pow(value, norm);
  for (std::size_t k = 2; k < y.rank(); ++k) y = apply_taps(y, k, sums(e.layer.settings, k - 2, y.size(k)));
  for (double& value : y.data) value = std::pow(value, 1 / norm);
  return {y};
}

std::vector<Case> cases(std::size_t rank) {
  const std::string name = "LPPool" + std::to_string(rank) + "d";
  Shape shape{2, 3, 7, 8, 5};
  shape.resize(rank + 2);
  std::vector<Case> all = {
      torch_case("window 2", name, {{"norm_type", 2}, {"kernel_size", 2}}, shape),
      torch_case("window 3, stride 2, ceil", name,
                 {{"norm_type", 2}, {"kernel_size", 3}, {"stride", 2}, {"ceil_mode", true}}, shape),
      torch_case("fourth power", name, {{"norm_type", 4}, {"kernel_size", 2}, {"stride", 1}}, shape)};
  for (Case& made : all) made.target_refuses = true;
  return all;
}

double window_cells(const Layer& layer) {
  double cells = 1;
  for (const auto& size : layer.settings["kernel"]) cells *= size.get<double>();
  return cells;
}

}  // namespace

LayerKind lp_pool_kind(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "lp_pool" + digit + "d";
  kind.torch = {{"LPPool" + digit + "d", Status::composed,
                 "read, run and verified; refused on the way to Keras, which has no pooling by a norm"}};
  kind.summary = "The p-norm of each window of x (n c s...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html"};
  kind.lift = [rank](Lifter& lifter) { lift(lifter, rank); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [rank](Lowerer& lowerer) { lower(lowerer, rank); };
  kind.compute = compute;
  kind.fan_in = window_cells;
  kind.cases = cases(rank);
  return kind;
}

}  // namespace tieout
