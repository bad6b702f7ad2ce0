#include "layers/shared/elementwise.h"

// y = x above 0, slope x below. The defaults differ: 0.01 in PyTorch, 0.3 in Keras' layer, 0.2 in its
// function.

namespace tieout::layers {

namespace {

Json read(Lifter& lifter) {
  const auto& given = lifter.settings();
  const auto& name = lifter.node().class_name;
  // In evaluation RReLU has the mean of its two slopes.
  if (name == "RReLU")
    return {{"slope", (given.number("lower", 1.0 / 8) + given.number("upper", 1.0 / 3)) / 2}};
  if (name == "activation:leaky_relu" || name == "LeakyRelu")
    return {{"slope", given.number("negative_slope", 0.2)}};
  if (lifter.is_torch()) return {{"slope", given.number("negative_slope", 0.01)}};
  return {{"slope", given.number("negative_slope", given.number("alpha", 0.3))}};  // Keras 2: alpha
}

}  // namespace

LayerKind leaky_relu() {
  Elementwise form;
  form.name = "leaky_relu";
  form.torch = exact({"LeakyReLU"});
  form.torch.push_back(
      {"RReLU", Status::composed, "becomes a leaky ReLU with the slope that it has in evaluation"});
  form.keras = exact({"LeakyReLU", "activation:leaky_relu", "LeakyRelu"});
  form.summary = "y = x for x > 0, slope x otherwise.";
  form.read = read;
  form.function = [](const Json& settings) {
    return [slope = settings["slope"].get<double>()](double x) { return x > 0 ? x : slope * x; };
  };
  form.write = [](Lowerer& lowerer) {
    lowerer.add("LeakyReLU", {{"negative_slope", lowerer.layer().settings["slope"]}});
  };
  LayerKind kind = elementwise_kind(form);
  kind.mistakes = {wrong_setting("slope", "the slope is the other framework's default", "slope", 0.3, 0.01)};
  kind.cases = {torch_case("default", "LeakyReLU", Json::object(), {2, 3, 4, 5}),
                torch_case("slope 0.2", "LeakyReLU", {{"negative_slope", 0.2}}, {3, 7}),
                torch_case("random in training", "RReLU", Json::object(), {3, 7}),
                keras_case("default", "LeakyReLU", Json::object(), {2, 4, 5, 3}),
                keras_case("slope 0.2", "LeakyReLU", {{"negative_slope", 0.2}}, {3, 7}),
                keras_case("the function", "Activation", {{"activation", "leaky_relu"}}, {3, 7})};
  // Keras passes the slope through float32.
  for (auto& test : kind.cases) test.keras_rounds_to_float32 = true;
  return kind;
}

}  // namespace tieout::layers
