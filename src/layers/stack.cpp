#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/mistakes.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// Puts inputs of one shape side by side along a new axis.   x_k: n a   ->   y: n (number of inputs) a
//
// Setting "axis": the new one's place in y.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  Json axis;
  if (lifter.is_torch()) {
    axis = lifter.settings().raw("dim");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "values"});
    axis = arguments.take_or_setting(1, {"axis"});
    arguments.finish();
  }
  if (!lifter.input().known)
    lifter.refuse("it depends on the inputs' rank, which is not known", "give it with --input-shape");
  const auto rank = lifter.input().axes.size();
  for (std::size_t k = 1; k < lifter.input_count(); ++k) {
    if (lifter.input(k).known && lifter.input(k).axes.size() != rank)
      throw malformed("it stacks inputs of different ranks");
  }
  const std::int64_t place =
      checked_axis(axis.is_null() ? 0 : axis.get<std::int64_t>(), static_cast<std::int64_t>(rank) + 1);
  if (place == 0) lifter.refuse("it puts an axis in front of the batch", "use another axis");
  Layer layer = lifter.layer("stack");
  layer.settings = {{"axis", place}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  for (const auto& input : inputs) {
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (out[k].size == unknown)
        out[k].size = input.at(k).size;
      else if (input.at(k).size != unknown && input[k].size != out[k].size)
        throw malformed("it stacks inputs of different sizes");
    }
  }
  out.insert(out.begin() + layer.settings["axis"].get<std::int64_t>(),
             Axis{free_axis_name(out, "s"), static_cast<std::int64_t>(inputs.size()), {}});
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& axis = lowerer.layer().settings["axis"];
  if (lowerer.to_torch()) {
    lowerer.add("torch.stack", {{"dim", axis}}, "torch.stack(({*}), dim=" + axis.dump() + ")");
    return;
  }
  FrameworkNode node = operator_node("numpy", "Stack", {{"axis", axis}});
  node.inputs_as_list = true;
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  const auto axis = static_cast<std::size_t>(e.integer("axis"));
  Shape shape = e.inputs[0]->shape;
  for (const Array* x : e.inputs) {
    if (x->shape != shape) throw malformed("it stacks inputs of different sizes");
  }
  std::size_t outer = 1;
  for (std::size_t k = 0; k < axis; ++k) outer *= static_cast<std::size_t>(shape[k]);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<std::int64_t>(e.inputs.size()));
  Array y(shape);
  auto into = y.data.begin();
  for (std::size_t row = 0; row < outer; ++row) {
    for (const Array* x : e.inputs) {
      const auto width = static_cast<std::ptrdiff_t>(x->count() / outer);
      const auto from = x->data.begin() + static_cast<std::ptrdiff_t>(row) * width;
      into = std::copy(from, from + width, into);
    }
  }
  return {y};
}

}  // namespace

LayerKind stack() {
  LayerKind kind;
  kind.name = "stack";
  kind.torch = exact({"torch.stack"});
  kind.keras = exact({"ops.Stack", "tf.stack"});
  kind.summary = "Puts inputs of one shape side by side along a new axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.stack.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {reversed_inputs_mistake("the inputs stand in the reverse order")};
  const Json both = Json::array({Json::array({Json{{"input", 0}}, Json{{"input", 1}}})});
  kind.cases = {
      operator_case("images", "Stack", {{"axis", 1}, {"args", both}}, {{2, 4, 5, 3}, {2, 4, 5, 3}}),
      operator_case("as a last axis", "Stack", {{"axis", -1}, {"args", both}}, {{2, 5, 3}, {2, 5, 3}}),
      operator_case("vectors", "Stack", {{"axis", 1}, {"args", both}}, {{2, 5}, {2, 5}})};
  return kind;
}

}  // namespace tieout::layers
