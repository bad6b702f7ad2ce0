#include "layers/shared/elementwise.h"

// y = a + scale b, a and b of one shape: the class of keras.applications' InceptionResNetV2.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  if (lifter.input_count() != 2) lifter.refuse("it does not have two inputs", "call it with [a, b]");
  if (lifter.input(0).known && lifter.input(1).known &&
      shape_of(lifter.input(0).axes) != shape_of(lifter.input(1).axes)) {
    lifter.refuse("its inputs have different shapes", "make them the same before");
  }
  Layer layer = lifter.layer("scaled_add");
  layer.settings = {{"scale", lifter.settings().number(lifter.is_torch() ? "alpha" : "scale", 1)}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& scale = lowerer.layer().settings["scale"];
  if (lowerer.to_torch()) {
    lowerer.add("torch.add_scaled", {{"alpha", scale}}, "{0} + {1} * " + scale.dump());
    return;
  }
  FrameworkNode node;
  node.class_name = "CustomScaleLayer";
  node.module = "keras.src.applications.inception_resnet_v2";
  node.settings = {{"scale", scale}};
  node.inputs_as_list = true;
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  const double scale = e.number("scale");
  for (std::size_t k = 0; k < y.count(); ++k) y.data[k] += scale * e.inputs[1]->data.at(k);
  return {y};
}

}  // namespace

LayerKind scaled_add() {
  LayerKind kind;
  kind.name = "scaled_add";
  kind.torch = exact({"torch.add_scaled"});
  kind.keras = exact({"CustomScaleLayer"});
  kind.summary = "y = a + scale b.";
  kind.sources = {"keras/src/applications/inception_resnet_v2.py, class CustomScaleLayer"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {wrong_setting("scale", "the scale is left out", "scale", 1.0, 1.0)};
  Case test = keras_case("images", "CustomScaleLayer", {{"scale", 0.17}}, {2, 4, 5, 3});
  test.input_shapes = {{2, 4, 5, 3}, {2, 4, 5, 3}};
  test.keras_rounds_to_float32 = true;
  kind.cases = {test};
  return kind;
}

}  // namespace tieout::layers
