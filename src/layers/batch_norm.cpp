#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "layers/layer_kind.h"
#include "layers/shared/channels.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/mistakes.h"
#include "layers/shared/normalisation.h"
#include "layers/shared/outputs.h"
#include "tieout/error.h"

// y = (x - mean) / sqrt(variance + epsilon) gamma + beta for each channel, with the stored statistics.
//
//   x: n c ...   gamma, beta, mean, variance: c   ->   y: n c ...
//
// The momentum is carried for training, as the part of the new statistics: PyTorch's momentum, Keras' 1 -
// momentum.

namespace tieout::layers {

namespace {

// The channels' axis as the framework counts it.
std::int64_t channel_axis(const Lifter& lifter) {
  if (lifter.is_torch()) return 1;
  const auto axes =
      lifter.settings().has("axis") ? lifter.settings().list("axis") : std::vector<std::int64_t>{-1};
  if (axes.size() != 1)
    lifter.refuse("it normalises along several axes", "use one axis, that of the channels");
  return axes[0];
}

// Ranks that PyTorch's class takes; 0: any.
std::size_t rank_of_class(const std::string& class_name) {
  if (class_name == "BatchNorm2d") return 4;
  if (class_name == "BatchNorm3d") return 5;
  return 0;
}

Json new_part(const Lifter& lifter) {
  const auto& given = lifter.settings();
  if (lifter.is_keras()) return 1 - given.number("momentum", 0.99);
  // PyTorch's None: the mean of all steps so far.
  if (lifter.node().settings.contains("momentum") && !given.has("momentum")) return nullptr;
  return given.number("momentum", 0.1);
}

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (lifter.is_torch() && !given.flag("track_running_stats", true)) {
    lifter.refuse(
        "it has no running statistics (track_running_stats=False) and normalises each batch by itself",
        "train with track_running_stats=True");
  }
  const std::size_t rank = lifter.is_torch() ? rank_of_class(lifter.node().class_name) : 0;
  const auto order = place_channels(lifter, channel_axis(lifter), rank);
  Layer layer = lifter.layer("batch_norm");
  layer.settings = {{"epsilon", given.number(lifter.is_torch() ? "eps" : "epsilon",
                                             lifter.is_torch() ? torch_epsilon : keras_epsilon)},
                    {"momentum", new_part(lifter)}};
  if (!order.empty()) layer.orders = {order};
  const std::int64_t channels = lifter.is_torch() ? given.integer("num_features", unknown)
                                : order.empty()   ? unknown
                                                  : lifter.size(0, order[1]);
  if (!order.empty()) lifter.expect_size(0, order[1], channels);
  add_scale_and_center(lifter, layer, channels, true);
  add_running_statistics(lifter, layer, channels);
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const auto& axes = lowerer.axes();
  const int channel = lowerer.target_axis(0, lowerer.layer().orders.at(0).at(1));
  const auto rounded = [](double value) {
    return std::round(value * 1e12) / 1e12;
  };  // 1 - 0.99 is not quite 0.01
  if (lowerer.to_keras()) {
    Json made = {{"axis", channel == static_cast<int>(axes.size()) - 1 ? -1 : channel},
                 {"epsilon", settings["epsilon"]}};
    if (!settings["momentum"].is_null()) made["momentum"] = rounded(1 - settings["momentum"].get<double>());
    made["center"] = lowerer.stores("beta");
    made["scale"] = lowerer.stores("gamma");
    lowerer.add("BatchNormalization", made);
    return;
  }
  if (axes.size() < 2 || axes.size() > 5) {
    lowerer.refuse(
        "torch.nn has batch normalisation for ranks 2 to 5, this input has " + std::to_string(axes.size()),
        "reshape it");
  }
  Json made = {{"num_features", axes[1].size}, {"eps", settings["epsilon"]}};
  if (!settings["momentum"].is_null()) made["momentum"] = rounded(settings["momentum"].get<double>());
  if (!lowerer.stores("beta") && !lowerer.stores("gamma")) made["affine"] = false;
  lowerer.add("BatchNorm" + std::to_string(std::max<std::size_t>(axes.size(), 3) - 2) + "d", made);
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  const std::int64_t channels = y.size(1);
  const double epsilon = e.number("epsilon");
  const std::size_t area = y.count() == 0 ? 0 : y.count() / static_cast<std::size_t>(y.size(0) * channels);
  double* value = y.data.data();
  for (std::int64_t map = 0; area > 0 && map < y.size(0) * channels; ++map) {
    const auto c = static_cast<std::size_t>(map % channels);
    const double factor = e.parameter("gamma").data[c] / std::sqrt(e.parameter("variance").data[c] + epsilon);
    for (std::size_t k = 0; k < area; ++k, ++value) {
      *value = (*value - e.parameter("mean").data[c]) * factor + e.parameter("beta").data[c];
    }
  }
  return {y};
}

// On the numbers where they lie: outer x c x inner.
struct Channels {
  const std::vector<double>& factor;
  const std::vector<double>& mean;
  const std::vector<double>& beta;
};

// One image: c inner.
void normalise(const Channels& per, std::int64_t inner, double* values) {
  const std::size_t channels = per.factor.size();
  if (inner == 1) {
    for (std::size_t c = 0; c < channels; ++c)
      values[c] = (values[c] - per.mean[c]) * per.factor[c] + per.beta[c];
    return;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::int64_t k = 0; k < inner; ++k, ++values)
      *values = (*values - per.mean[c]) * per.factor[c] + per.beta[c];
  }
}

std::optional<std::vector<Array>> compute_fast(const Evaluation& e) {
  const auto& orders = e.layer.orders;
  if (orders.empty() || orders[0].size() < 2 || e.layer.output_order != orders[0]) return std::nullopt;
  Array y = e.take(0);
  const auto axis = static_cast<std::size_t>(orders[0][1]);
  const std::int64_t channels = y.size(axis);
  std::int64_t inner = 1;
  for (std::size_t k = axis + 1; k < y.rank(); ++k) inner *= y.size(k);
  const double epsilon = e.number("epsilon");
  std::vector<double> factors;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
    factors.push_back(e.parameter("gamma").data[c] / std::sqrt(e.parameter("variance").data[c] + epsilon));
  const Channels per{factors, e.parameter("mean").data, e.parameter("beta").data};
  const std::int64_t row = channels * inner;
  const std::int64_t rows = row == 0 ? 0 : static_cast<std::int64_t>(y.count()) / row;
  parallel_for(rows, 4096 / std::max<std::int64_t>(row, 1) + 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t at = first; at < last; ++at) normalise(per, inner, y.data.data() + at * row);
  });
  return one_output(std::move(y));
}

std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  const auto has = [&](const std::string& name) {
    return std::ranges::any_of(tensors, [&](const auto& tensor) { return tensor.first == name; });
  };
  FrameworkNode node;
  if (framework == Framework::torch) {
    if (!has("running_mean") || !has("running_var") || tensors[0].second.size() != 1) return std::nullopt;
    node.class_name = "BatchNorm2d";
    node.settings = {{"num_features", tensors[0].second[0]}, {"affine", has("weight")}};
    return node;
  }
  // Keras: four vectors of one length; fewer only where the file names them.
  if (tensors.size() < 2 || tensors.size() > 4 || tensors[0].second.size() != 1) return std::nullopt;
  if (!std::ranges::all_of(tensors, [&](const auto& tensor) { return tensor.second == tensors[0].second; }))
    return std::nullopt;
  if (tensors.size() < 4 && !has("moving_mean")) return std::nullopt;
  node.class_name = "BatchNormalization";
  node.settings = {{"center", tensors.size() == 4 || has("beta")},
                   {"scale", tensors.size() == 4 || has("gamma")}};
  return node;
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      torch_case("image", "BatchNorm2d", {{"num_features", 3}}, {2, 3, 4, 5}),
      torch_case("image, no weights", "BatchNorm2d", {{"num_features", 3}, {"affine", false}}, {2, 3, 4, 5}),
      torch_case("image, eps 0.01", "BatchNorm2d", {{"num_features", 3}, {"eps", 0.01}, {"momentum", 0.2}},
                 {2, 3, 4, 5}),
      torch_case("image", "SyncBatchNorm", {{"num_features", 3}}, {2, 3, 4, 5}),
      torch_case("momentum None", "BatchNorm2d", {{"num_features", 3}, {"momentum", nullptr}}, {2, 3, 4, 5}),
      torch_case("vector", "BatchNorm1d", {{"num_features", 5}}, {3, 5}),
      torch_case("signal", "BatchNorm1d", {{"num_features", 5}}, {3, 5, 4}),
      torch_case("volume", "BatchNorm3d", {{"num_features", 3}}, {2, 3, 4, 5, 2}),
      keras_case("image", "BatchNormalization", Json::object(), {2, 4, 5, 3}),
      keras_case("vector", "BatchNormalization", {{"epsilon", 1e-5}}, {3, 5}),
      keras_case("sequence", "BatchNormalization", Json::object(), {3, 4, 5}),
      keras_case("volume", "BatchNormalization", Json::object(), {2, 4, 5, 2, 3}),
      keras_case("axis 1", "BatchNormalization", {{"axis", 1}}, {2, 4, 5, 3}),
      keras_case("no center", "BatchNormalization", {{"center", false}}, {2, 4, 5, 3}),
      keras_case("no scale", "BatchNormalization", {{"scale", false}}, {2, 4, 5, 3}),
      keras_case("neither", "BatchNormalization", {{"center", false}, {"scale", false}}, {3, 5})};
  return all;
}

}  // namespace

LayerKind batch_norm() {
  LayerKind kind;
  kind.name = "batch_norm";
  kind.torch = exact({"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"});
  kind.torch.back() = {"SyncBatchNorm", Status::composed,
                       "becomes an ordinary batch normalisation: equal in inference"};
  kind.keras = exact({"BatchNormalization"});
  kind.summary = "y = (x - mean) / sqrt(variance + epsilon) gamma + beta for each channel of x (n c ...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html",
                  "https://keras.io/api/layers/normalization_layers/batch_normalization/"};
  kind.lift = lift;
  kind.need = channels_first_in_torch;
  kind.lower = lower;
  kind.compute = compute;
  kind.compute_fast = compute_fast;
  kind.recognise = recognise;
  kind.absorbs_flatten = true;
  kind.mistakes = {
      epsilon_mistake(),
      swapped_mistake("gamma_beta", "gamma and beta stand in each other's place", "gamma", "beta"),
      swapped_mistake("mean_variance", "mean and variance stand in each other's place", "mean", "variance"),
      forgotten_mistake("forgotten_statistics",
                        "mean and variance were not carried: they are a new layer's 0 and 1",
                        {{"mean", 0}, {"variance", 1}})};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
