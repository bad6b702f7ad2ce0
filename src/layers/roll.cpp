#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"

// Moves the cells along one axis, the last ones to the front.   x: ... a ...   ->   y: the same
//
// Settings: shift, to the back; axis, in the input's own order.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  Json shift;
  Json axis;
  if (lifter.is_torch()) {
    shift = lifter.settings().raw("shifts");
    axis = lifter.settings().raw("dims");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "input"});
    shift = arguments.take_or_setting(1, {"shift"});
    axis = arguments.take_or_setting(2, {"axis"});
    arguments.finish();
  }
  if (!shift.is_number_integer()) lifter.refuse("its shift is not one number", "move one axis at a time");
  Layer layer = lifter.layer("roll");
  layer.settings = {{"shift", shift}, {"axis", read_axis(lifter, axis)}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const Json& shift = lowerer.layer().settings["shift"];
  const std::int64_t axis = target_axes(lowerer).at(0);
  if (lowerer.to_torch()) {
    lowerer.add("torch.roll", {{"shifts", shift}, {"dims", axis}},
                "{0}.roll(" + shift.dump() + ", dims=" + std::to_string(axis) + ")");
  } else {
    lowerer.add_node(operator_node("numpy", "Roll", {{"shift", shift}, {"axis", axis}}));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  return {along_axis(*e.inputs[0], e.integer("axis"), [&](double* row, std::int64_t size) {
    const std::int64_t shift = ((e.integer("shift") % size) + size) % size;
    std::rotate(row, row + (size - shift), row + size);
  })};
}

}  // namespace

LayerKind roll() {
  LayerKind kind;
  kind.name = "roll";
  kind.torch = exact({"torch.roll"});
  kind.keras = exact({"ops.Roll", "tf.roll"});
  kind.summary = "Moves the cells along one axis, the last ones to the front.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.roll.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      other_layout_mistake("it moves along the axis that has this number in the other framework's layout")};
  kind.cases = {operator_case("rows", "Roll", {{"shift", 1}, {"axis", 1}}, {{2, 4, 5, 3}}),
                operator_case("channels, back", "Roll", {{"shift", -2}, {"axis", -1}}, {{2, 4, 5, 3}}),
                operator_case("time", "Roll", {{"shift", 7}, {"axis", 1}}, {{2, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
