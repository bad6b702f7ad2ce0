#include <cmath>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

// y = a sigmoid(b), a and b being the first and the second half of x along one axis.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  if (!lifter.input().known) lifter.refuse("its input's rank is not known", "give it with --input-shape");
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size());
  const std::int64_t axis =
      checked_axis(lifter.settings().integer(lifter.is_torch() ? "dim" : "axis", -1), rank);
  if (axis == 0) lifter.refuse("it halves the batch", "give it an axis of the sample");
  const Axis& halved = lifter.input().axes[static_cast<std::size_t>(axis)];
  if (!halved.parts.empty())
    lifter.refuse("it halves a flattened axis", "halve the channels before flattening");
  if (halved.size != unknown && halved.size % 2 != 0)
    throw malformed("an axis of " + std::to_string(halved.size) + " places cannot be halved");
  Layer layer = lifter.layer("glu");
  layer.settings = {{"axis", axis}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  Axis& halved = out.at(layer.settings["axis"].get<std::size_t>());
  if (halved.size != unknown) halved.size /= 2;
  return {out};
}

void lower(Lowerer& lowerer) {
  const int axis = lowerer.target_axis(0, lowerer.layer().settings["axis"].get<int>());
  if (lowerer.to_torch()) {
    lowerer.add("GLU", {{"dim", axis}});
  } else if (axis == static_cast<int>(lowerer.axes().size()) - 1) {
    lowerer.add("Activation", {{"activation", "glu"}});
  } else {
    add_operation(lowerer, "Glu", {{"axis", axis}});
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto axis = static_cast<std::size_t>(e.integer("axis"));
  std::size_t inner = 1;
  for (std::size_t k = axis + 1; k < x.rank(); ++k) inner *= static_cast<std::size_t>(x.size(k));
  Shape shape = x.shape;
  shape[axis] /= 2;
  Array y(shape);
  const std::size_t half = static_cast<std::size_t>(shape[axis]) * inner;
  for (std::size_t at = 0; at < y.count(); ++at) {
    const std::size_t from = at / half * 2 * half + at % half;
    y.data[at] = x.data[from] / (1 + std::exp(-x.data[from + half]));
  }
  return {y};
}

}  // namespace

LayerKind glu() {
  LayerKind kind;
  kind.name = "glu";
  kind.torch = exact({"GLU"});
  kind.keras = exact({"activation:glu", "Glu"});
  kind.summary = "y = a sigmoid(b), the halves of x along one axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html",
                  "https://keras.io/api/layers/activations/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      other_layout_mistake("it runs along the axis that has this number in the other framework's layout")};
  kind.cases = {torch_case("default", "GLU", Json::object(), {3, 6}),
                torch_case("channels of an image", "GLU", {{"dim", 1}}, {2, 6, 4, 5}),
                torch_case("rows of an image", "GLU", {{"dim", 2}}, {2, 3, 4, 5}),
                torch_case("steps", "GLU", {{"dim", -2}}, {2, 4, 3}),
                keras_case("channels of an image", "Activation", {{"activation", "glu"}}, {2, 4, 5, 6}),
                keras_case("sequence", "Activation", {{"activation", "glu"}}, {2, 5, 4})};
  return kind;
}

}  // namespace tieout::layers
