#include <numeric>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"

// Sums or products of the cells so far along one axis.   x: ... a ...   ->   y: the same
//
// Settings: product, or else sum; axis, in the input's own order.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  Json axis;
  if (lifter.is_torch()) {
    axis = lifter.settings().raw("dim");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x"});
    axis = arguments.take_or_setting(1, {"axis"});
    arguments.finish();
    if (lifter.settings().has("dtype")) lifter.refuse("its dtype has no counterpart", "leave it out");
    if (axis.is_null() && name.starts_with("tf.")) axis = 0;
  }
  Layer layer = lifter.layer("cumulative");
  layer.settings = {{"product", name.find("prod") != std::string::npos}, {"axis", read_axis(lifter, axis)}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const bool product = lowerer.layer().settings["product"] == true;
  const std::int64_t axis = target_axes(lowerer).at(0);
  if (lowerer.to_torch()) {
    const std::string method = product ? "cumprod" : "cumsum";
    lowerer.add("torch." + method, {{"dim", axis}}, "{0}." + method + "(dim=" + std::to_string(axis) + ")");
  } else {
    lowerer.add_node(operator_node("numpy", product ? "Cumprod" : "Cumsum", {{"axis", axis}}));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const bool product = e.flag("product");
  return {along_axis(*e.inputs[0], e.integer("axis"), [product](double* row, std::int64_t size) {
    std::partial_sum(row, row + size, row, [product](double so_far, double next) {
      return product ? so_far * next : so_far + next;
    });
  })};
}

}  // namespace

LayerKind cumulative() {
  LayerKind kind;
  kind.name = "cumulative";
  kind.torch = exact({"torch.cumsum", "torch.cumprod"});
  kind.keras = exact({"ops.Cumsum", "ops.Cumprod", "tf.math.cumsum", "tf.math.cumprod"});
  kind.summary = "Sums or products of the cells so far along one axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.cumsum.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      other_layout_mistake("it runs along the axis that has this number in the other framework's layout")};
  kind.cases = {operator_case("rows", "Cumsum", {{"axis", 1}}, {{2, 4, 5, 3}}),
                operator_case("channels", "Cumprod", {{"axis", -1}}, {{2, 4, 5, 3}}),
                operator_case("time", "Cumsum", {{"axis", 1}}, {{2, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
