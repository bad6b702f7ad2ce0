#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/taps.h"
#include "layers/shared/weighted_sum.h"
#include "tieout/error.h"

// A sum over an axis with constant weights that depend on the axis before it: the second half of a resampling
// (see shared/taps.h).   x: ... a t ...   ->   y: ... a ...,   y_a = sum_t weights[a][t] x_at
//
// Settings: axis (of a, in the input's own order), weights.

namespace tieout {

namespace {

bool is_matrix(const Json& weights) {
  const auto number = [](const Json& one) { return one.is_number(); };
  return weights.is_array() && !weights.empty() && std::ranges::all_of(weights, [&](const Json& row) {
           return row.is_array() && row.size() == weights[0].size() && std::ranges::all_of(row, number);
         });
}

// The axis a of "..at..,at->..a..", or -1 for another sum.
std::ptrdiff_t summed_axis(const std::string& subscripts) {
  const auto comma = subscripts.find(',');
  const auto arrow = subscripts.find("->");
  if (comma == std::string::npos || arrow != comma + 3) return -1;
  const std::string all = subscripts.substr(0, comma);
  const auto at = all.find(subscripts.substr(comma + 1, 2));
  if (at == std::string::npos || at == 0) return -1;
  std::string left = all;
  left.erase(at + 1, 1);
  return left == subscripts.substr(arrow + 2) ? static_cast<std::ptrdiff_t>(at) : -1;
}

}  // namespace

void lift_weighted_sum(Lifter& lifter) {
  const bool is_torch = lifter.is_torch();
  const std::ptrdiff_t axis =
      is_torch ? lifter.settings().integer("axis") : summed_axis(lifter.settings().text("subscripts", ""));
  const Json& args = lifter.settings().raw("args");
  Json weights = lifter.settings().raw("weights");
  if (!is_torch && args.is_array() && args.size() == 2 && args[1].is_object() && args[1].contains("config") &&
      args[1]["config"].is_object())
    weights = args[1]["config"].value("value", Json());
  if (axis < 0 || !is_matrix(weights) || lifter.input_count() != 1) {
    lifter.refuse("of Keras' einsum only a sum with constant weights along neighbouring axes is carried",
                  "use a Dense or EinsumDense layer");
  }
  const int at = static_cast<int>(axis);
  lifter.expect_size(0, at, static_cast<std::int64_t>(weights.size()));
  lifter.expect_size(0, at + 1, static_cast<std::int64_t>(weights[0].size()));
  Layer layer = lifter.layer("weighted_sum");
  layer.settings = {{"axis", axis}, {"weights", weights}};
  lifter.add(std::move(layer));
}

}  // namespace tieout

namespace tieout::layers {

namespace {

using Weights = std::vector<std::vector<double>>;

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  out.erase(out.begin() + layer.settings["axis"].get<std::ptrdiff_t>() + 1);
  return {out};
}

std::string with_spaces(std::string list) {
  for (std::size_t k = 0; (k = list.find(',', k)) != std::string::npos; k += 2) list.replace(k, 1, ", ");
  return list;
}

void lower(Lowerer& lowerer) {
  const Json& settings = lowerer.layer().settings;
  const auto axis = settings["axis"].get<std::size_t>();
  if (lowerer.to_keras()) {
    add_keras_weighted_sum(lowerer, axis, settings["weights"], {});
    return;
  }
  lowerer.add("torch.weighted_sum", settings,
              "torch.einsum(\"" + weighted_sum_equation(lowerer.axes().size(), axis) +
                  "\", {0}, {0}.new_tensor(" + with_spaces(settings["weights"].dump()) + "))");
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto axis = static_cast<std::size_t>(e.integer("axis"));
  const auto weights = e.layer.settings["weights"].get<Weights>();
  Shape shape = x.shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
  Array y(shape);
  std::size_t inner = 1;
  for (std::size_t k = axis + 2; k < x.rank(); ++k) inner *= static_cast<std::size_t>(x.shape[k]);
  const std::size_t rows = y.count() / std::max<std::size_t>(inner, 1);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto& weight = weights[row % weights.size()];
    for (std::size_t t = 0; t < weight.size(); ++t) {
      const double* from = x.data.data() + (row * weight.size() + t) * inner;
      for (std::size_t i = 0; i < inner; ++i) y.data[row * inner + i] += weight[t] * from[i];
    }
  }
  return {y};
}

}  // namespace

LayerKind weighted_sum() {
  LayerKind kind;
  kind.name = "weighted_sum";
  kind.torch = exact({"torch.weighted_sum"});
  kind.summary = "A sum over an axis of x with constant weights that depend on the axis before it.";
  kind.sources = {"https://keras.io/api/ops/numpy/"};
  kind.lift = lift_weighted_sum;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.fan_in = [](const Layer& layer) { return static_cast<double>(layer.settings["weights"][0].size()); };
  return kind;
}

}  // namespace tieout::layers
