#include <algorithm>
#include <limits>

#include "layers/shared/elementwise.h"

// y = max(x, 0), in Keras also with an upper limit, a slope below and a threshold.
//
// Keras' ReLU is read as the kind that it is: leaky_relu (a slope only), threshold (a threshold only),
// hard_tanh (a limit other than 6), and relu for the rest.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const auto& name = lifter.node().class_name;
  double slope = 0;
  double threshold = 0;
  Json limit = nullptr;
  if (name == "ReLU6" || name == "activation:relu6" || name == "Relu6") {
    limit = 6.0;
  } else if (name == "ReLU" && lifter.is_keras()) {
    slope = given.number("negative_slope", 0);
    threshold = given.number("threshold", 0);
    if (given.has("max_value")) limit = given.number("max_value", 0);
  } else if (name == "torch.limited_relu") {
    slope = given.number("slope", 0);
    threshold = given.number("threshold", 0);
    if (given.has("max")) limit = given.number("max", 0);
  }
  Layer layer = lifter.layer("relu");
  if (slope != 0 && threshold == 0 && limit.is_null()) {
    layer.kind = "leaky_relu";
    layer.settings = {{"slope", slope}};
  } else if (slope == 0 && threshold != 0 && limit.is_null()) {
    layer.kind = "threshold";
    layer.settings = {{"threshold", threshold}, {"value", 0.0}};
  } else if (slope == 0 && threshold == 0 && !limit.is_null() && limit != 6.0) {
    layer.kind = "hard_tanh";
    layer.settings = {{"min", 0.0}, {"max", limit}};
  } else {
    layer.settings = {{"slope", slope}, {"threshold", threshold}, {"max", limit}};
  }
  lifter.add(std::move(layer));
}

// In the order in which Keras computes it (keras/src/activations/activations.py, class ReLU).
void rectify(std::span<double> numbers, const Json& settings) {
  const double slope = settings["slope"].get<double>();
  const double threshold = settings["threshold"].get<double>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const bool limited = !settings["max"].is_null();
  const double least = limited ? 0 : -infinity;
  const double most = limited ? settings["max"].get<double>() : infinity;
  if (slope == 0 && threshold == 0 && !limited) {
    for (double& x : numbers) x = std::max(x, 0.0);
    return;
  }
  for (double& x : numbers) {
    const double below = slope == 0 ? 0 : std::max(threshold - x, 0.0);
    const double y = threshold == 0 ? std::max(x, 0.0) : (x > threshold ? x : 0.0);
    x = std::clamp(y, least, most) - slope * below;
  }
}

// The same in PyTorch, for what torch.nn has no class for.
std::string torch_expression(const Json& settings) {
  const auto text = [&](const char* name) { return settings[name].dump(); };
  std::string above = "torch.where({0} > " + text("threshold") + ", {0}, 0.0)";
  if (!settings["max"].is_null()) above += ".clamp(0.0, " + text("max") + ")";
  if (settings["slope"] == 0.0) return above;
  return above + " - " + text("slope") + " * torch.relu(" + text("threshold") + " - {0})";
}

void write(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const bool plain = settings["slope"] == 0.0 && settings["threshold"] == 0.0;
  if (lowerer.to_keras()) {
    lowerer.add("ReLU", {{"max_value", settings["max"]},
                         {"negative_slope", settings["slope"]},
                         {"threshold", settings["threshold"]}});
  } else if (plain && settings["max"].is_null()) {
    lowerer.add("ReLU", Json::object());
  } else if (plain && settings["max"] == 6.0) {
    lowerer.add("ReLU6", Json::object());
  } else {
    lowerer.add("torch.limited_relu", settings, torch_expression(settings));
  }
}

}  // namespace

LayerKind relu() {
  Elementwise form;
  form.name = "relu";
  form.torch = exact({"ReLU", "ReLU6", "torch.limited_relu"});
  form.keras = exact({"ReLU", "activation:relu", "activation:relu6", "Relu", "Relu6"});
  form.summary = "y = max(x, 0); ReLU6: at most 6.";
  form.function = rectify;
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.lift = lift;
  kind.mistakes = {wrong_setting("limit", "the limit is left out, as of ReLU6", "max", nullptr, nullptr)};
  kind.cases = {
      torch_case("image", "ReLU", Json::object(), {2, 3, 4, 5}),
      torch_case("vector, in place", "ReLU", {{"inplace", true}}, {3, 7}),
      torch_case("at most 6", "ReLU6", Json::object(), {20, 30}),
      keras_case("the layer", "ReLU", Json::object(), {2, 4, 5, 3}),
      keras_case("the function", "Activation", {{"activation", "relu"}}, {2, 4, 5, 3}),
      keras_case("the function, at most 6", "Activation", {{"activation", "relu6"}}, {20, 30}),
      keras_case("at most 6", "ReLU", {{"max_value", 6.0}}, {20, 30}),
      keras_case("at most 1.5", "ReLU", {{"max_value", 1.5}}, {3, 7}),
      keras_case("a slope below", "ReLU", {{"negative_slope", 0.25}}, {3, 7}),
      keras_case("a threshold", "ReLU", {{"threshold", 0.5}}, {3, 7}),
      keras_case("a slope and a limit", "ReLU", {{"negative_slope", 0.25}, {"max_value", 1.5}}, {3, 7}),
      keras_case("a slope and a threshold", "ReLU", {{"negative_slope", 0.25}, {"threshold", 0.5}},
                 {2, 4, 5, 3}),
      keras_case("a threshold and a limit", "ReLU", {{"max_value", 1.5}, {"threshold", 0.5}}, {3, 7}),
      keras_case("all three", "ReLU", {{"max_value", 1.5}, {"negative_slope", 0.25}, {"threshold", 0.5}},
                 {2, 4, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
