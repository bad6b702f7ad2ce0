#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"

// Reverses the order along some axes.   x: ... a ...   ->   y: the same
//
// Setting "axes", in the input's own order.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  Json axis;
  if (lifter.is_torch()) {
    axis = lifter.settings().raw("dims");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "tensor"});
    axis = arguments.take_or_setting(1, {"axis"});
    arguments.finish();
  }
  Layer layer = lifter.layer("flip");
  layer.settings = {{"axes", read_axes(lifter, axis)}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto axes = target_axes(lowerer);
  if (lowerer.to_torch()) {
    lowerer.add("torch.flip", {{"dims", axes}}, "{0}.flip(" + python_tuple(axes) + ")");
  } else {
    lowerer.add_node(
        operator_node("numpy", "Flip", {{"axis", axes.size() == 1 ? Json(axes[0]) : Json(axes)}}));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto axes = e.integers("axes");
  Array y(x.shape);
  std::vector<std::int64_t> at(x.rank(), 0);
  for (const double value : x.data) {
    std::size_t to = 0;
    for (std::size_t k = 0; k < x.rank(); ++k) {
      const bool turned = std::ranges::find(axes, static_cast<std::int64_t>(k)) != axes.end();
      to = to * static_cast<std::size_t>(x.shape[k]) +
           static_cast<std::size_t>(turned ? x.shape[k] - 1 - at[k] : at[k]);
    }
    y.data[to] = value;
    for (std::size_t k = x.rank(); k-- > 0;) {
      if (++at[k] < x.shape[k]) break;
      at[k] = 0;
    }
  }
  return {y};
}

}  // namespace

LayerKind flip() {
  LayerKind kind;
  kind.name = "flip";
  kind.torch = exact({"torch.flip"});
  kind.keras = exact({"ops.Flip", "tf.reverse"});
  kind.summary = "Reverses the order along some axes.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.flip.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      other_layout_mistake("it reverses the axes that have these numbers in the other framework's layout")};
  kind.cases = {operator_case("rows", "Flip", {{"axis", 1}}, {{2, 4, 5, 3}}),
                operator_case("rows and columns", "Flip", {{"axis", Json{1, 2}}}, {{2, 4, 5, 3}}),
                operator_case("channels", "Flip", {{"axis", -1}}, {{2, 4, 5, 3}}),
                operator_case("time", "Flip", {{"axis", 1}}, {{2, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
