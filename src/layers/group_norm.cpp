#include <algorithm>
#include <cmath>

#include "layers/shared/channels.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/normalisation.h"
#include "tieout/error.h"

// y = (x - mean) / sqrt(variance + epsilon) gamma + beta; mean and variance are those of each sample and each
// group of neighbouring channels.
//
//   x: n c ...   gamma, beta: c   ->   y: n c ...
//
// An InstanceNorm has as many groups as channels; with running statistics it is a batch normalisation in
// inference, and read as that.

namespace tieout::layers {

namespace {

bool is_instance(const Lifter& lifter) {
  return lifter.node().class_name.starts_with("InstanceNorm");
}

std::size_t rank_of_class(const std::string& class_name) {
  if (class_name == "InstanceNorm1d") return 3;
  if (class_name == "InstanceNorm2d") return 4;
  if (class_name == "InstanceNorm3d") return 5;
  return 0;
}

std::int64_t channel_count(const Lifter& lifter, const std::vector<int>& order) {
  if (lifter.is_torch())
    return lifter.settings().integer(is_instance(lifter) ? "num_features" : "num_channels");
  return order.empty() ? unknown : lifter.size(0, order[1]);
}

std::int64_t group_count(const Lifter& lifter, std::int64_t channels) {
  if (is_instance(lifter)) return channels;
  const std::int64_t groups =
      lifter.is_torch() ? lifter.settings().integer("num_groups") : lifter.settings().integer("groups", 32);
  if (groups == -1) return channels;
  if (groups < 1 || (channels != unknown && channels % groups != 0)) {
    throw malformed(std::to_string(channels) + " channels do not fall into " + std::to_string(groups) +
                    " groups");
  }
  return groups;
}

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::int64_t channel = lifter.is_torch() ? 1 : given.integer("axis", -1);
  const auto order = place_channels(lifter, channel, rank_of_class(lifter.node().class_name));
  const std::int64_t channels = channel_count(lifter, order);
  if (!order.empty()) lifter.expect_size(0, order[1], channels);
  const bool running = is_instance(lifter) && given.flag("track_running_stats", false);
  Layer layer = lifter.layer(running ? "batch_norm" : "group_norm");
  layer.settings = {{"epsilon", given.number(lifter.is_torch() ? "eps" : "epsilon",
                                             lifter.is_torch() ? torch_epsilon : keras_epsilon)}};
  if (running) {
    layer.settings["momentum"] = given.has("momentum") ? Json(given.number("momentum", 0.1)) : Json(0.1);
  } else {
    layer.settings["groups"] = group_count(lifter, channels);
  }
  if (!order.empty()) layer.orders = {order};
  add_scale_and_center(lifter, layer, channels, !is_instance(lifter));
  if (running) add_running_statistics(lifter, layer, channels);
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const auto& axes = lowerer.axes();
  if (lowerer.to_keras()) {
    const int channel = lowerer.target_axis(0, lowerer.layer().orders.at(0).at(1));
    lowerer.add("GroupNormalization", {{"groups", settings["groups"]},
                                       {"axis", channel == static_cast<int>(axes.size()) - 1 ? -1 : channel},
                                       {"epsilon", settings["epsilon"]},
                                       {"center", lowerer.stores("beta")},
                                       {"scale", lowerer.stores("gamma")}});
    return;
  }
  Json made = {
      {"num_groups", settings["groups"]}, {"num_channels", axes.at(1).size}, {"eps", settings["epsilon"]}};
  if (!lowerer.stores("beta") && !lowerer.stores("gamma")) made["affine"] = false;
  lowerer.add("GroupNorm", made);
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  const std::int64_t channels = y.size(1);
  const std::int64_t groups = e.integer("groups");
  if (groups < 1 || y.count() == 0) return {y};
  const std::size_t area = y.count() / static_cast<std::size_t>(y.size(0) * channels);
  const std::size_t row = area * static_cast<std::size_t>(channels / groups);
  for (std::size_t at = 0; at < y.count(); at += row) {
    double mean = 0;
    double variance = 0;
    for (std::size_t k = at; k < at + row; ++k) mean += y.data[k] / static_cast<double>(row);
    for (std::size_t k = at; k < at + row; ++k)
      variance += (y.data[k] - mean) * (y.data[k] - mean) / static_cast<double>(row);
    const double factor = 1 / std::sqrt(variance + e.number("epsilon"));
    for (std::size_t k = at; k < at + row; ++k) {
      const std::size_t c = k / area % static_cast<std::size_t>(channels);
      y.data[k] = (y.data[k] - mean) * factor * e.parameter("gamma").data[c] + e.parameter("beta").data[c];
    }
  }
  return {y};
}

std::vector<Case> torch_cases() {
  const auto group = [](std::int64_t groups, std::int64_t channels) {
    return Json{{"num_groups", groups}, {"num_channels", channels}};
  };
  Json no_weights = group(3, 6);
  no_weights["affine"] = false;
  Json epsilon = group(2, 6);
  epsilon["eps"] = 0.1;
  std::vector<Case> all = {torch_case("image", "GroupNorm", group(3, 6), {2, 6, 4, 5}),
                           torch_case("image, small numbers", "GroupNorm", group(3, 6), {2, 6, 4, 5}),
                           torch_case("image, no weights", "GroupNorm", no_weights, {2, 6, 4, 5}),
                           torch_case("image, eps 0.1", "GroupNorm", epsilon, {2, 6, 4, 5}),
                           torch_case("one group", "GroupNorm", group(1, 6), {2, 6, 4, 5}),
                           torch_case("signal", "GroupNorm", group(2, 6), {2, 6, 5}),
                           torch_case("vector", "GroupNorm", group(2, 6), {3, 6}),
                           torch_case("volume", "GroupNorm", group(2, 4), {2, 4, 3, 2, 5})};
  const std::vector<std::pair<std::string, Shape>> shapes = {
      {"InstanceNorm1d", {2, 3, 5}}, {"InstanceNorm2d", {2, 3, 4, 5}}, {"InstanceNorm3d", {2, 3, 4, 2, 5}}};
  for (const auto& [name, shape] : shapes) {
    all.push_back(torch_case("default", name, {{"num_features", 3}}, shape));
    all.push_back(torch_case("weights", name, {{"num_features", 3}, {"affine", true}}, shape));
    all.push_back(
        torch_case("running statistics", name, {{"num_features", 3}, {"track_running_stats", true}}, shape));
    all.push_back(torch_case("weights, running statistics", name,
                             {{"num_features", 3}, {"affine", true}, {"track_running_stats", true}}, shape));
    all.push_back(torch_case("small numbers", name, {{"num_features", 3}}, shape));
  }
  for (auto& test : all) {
    if (test.name.ends_with("small numbers")) test.inputs = "small";
  }
  return all;
}

std::vector<Case> cases() {
  auto all = torch_cases();
  const std::vector<Case> keras = {
      keras_case("image", "GroupNormalization", {{"groups", 3}}, {2, 4, 5, 6}),
      keras_case("default", "GroupNormalization", Json::object(), {2, 4, 5, 64}),
      keras_case("one for each channel", "GroupNormalization", {{"groups", -1}}, {2, 4, 5, 3}),
      keras_case("axis 1", "GroupNormalization", {{"groups", 2}, {"axis", 1}}, {2, 4, 5, 3}),
      keras_case("axis -2", "GroupNormalization", {{"groups", 5}, {"axis", -2}}, {2, 4, 5, 3}),
      keras_case("no center", "GroupNormalization", {{"groups", 3}, {"center", false}}, {2, 4, 5, 6}),
      keras_case("no scale", "GroupNormalization", {{"groups", 3}, {"scale", false}}, {2, 4, 5, 6}),
      keras_case("neither", "GroupNormalization", {{"groups", 3}, {"scale", false}, {"center", false}},
                 {2, 4, 5, 6}),
      keras_case("sequence", "GroupNormalization", {{"groups", 2}, {"epsilon", 1e-5}}, {2, 5, 6}),
      keras_case("features", "GroupNormalization", {{"groups", 2}}, {3, 6}),
      keras_case("volume", "GroupNormalization", {{"groups", 2}}, {2, 3, 2, 5, 4}),
      keras_case("small numbers", "GroupNormalization", {{"groups", 3}}, {2, 4, 5, 6})};
  for (const auto& test : keras) all.push_back(test);
  all.back().inputs = "small";
  return all;
}

}  // namespace

LayerKind group_norm() {
  LayerKind kind;
  kind.name = "group_norm";
  kind.torch = exact({"GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"});
  kind.keras = exact({"GroupNormalization"});
  kind.summary =
      "y = (x - mean) / sqrt(variance + epsilon) gamma + beta over each group of channels of each sample.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html",
                  "https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html",
                  "https://keras.io/api/layers/normalization_layers/group_normalization/"};
  kind.lift = lift;
  kind.need = channels_first_in_torch;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      epsilon_mistake(),
      swapped_mistake("gamma_beta", "gamma and beta stand in each other's place", "gamma", "beta"),
      wrong_setting("groups", "all channels are one group", "groups", 1, 1)};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
