#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// The same vector several times, one behind the other.   x: n f   ->   y: n t f, t = "count"

namespace tieout::layers {

namespace {

constexpr const char* torch_function = "torch.Tensor.expand";

void lift(Lifter& lifter) {
  const std::int64_t count = lifter.settings().integer("n");
  if (count <= 0) throw malformed("a vector is repeated at least once");
  if (lifter.input().known) lifter.roles(0, {"n", "f"});
  Layer layer = lifter.layer("repeat_vector");
  layer.settings = {{"count", count}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  std::string name = "t";
  while (std::ranges::find(inputs[0], name, &Axis::name) != inputs[0].end()) name += "e";
  return {{inputs[0].at(0), {name, layer.settings["count"], {}}, inputs[0].at(1)}};
}

void lower(Lowerer& lowerer) {
  const Json& count = lowerer.layer().settings["count"];
  if (lowerer.to_keras()) {
    lowerer.add("RepeatVector", {{"n", count}});
  } else {
    lowerer.add(torch_function, {{"n", count}}, "{0}.unsqueeze(1).expand(-1, " + count.dump() + ", -1)");
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  Array y({x.size(0), e.integer("count"), x.size(1)});
  const std::size_t width = static_cast<std::size_t>(x.size(1));
  const std::size_t count = static_cast<std::size_t>(e.integer("count"));
  for (std::size_t i = 0; i < y.count(); ++i) {
    y.data[i] = x.data[i / (count * width) * width + i % width];
  }
  return {y};
}

}  // namespace

LayerKind repeat_vector() {
  LayerKind kind;
  kind.name = "repeat_vector";
  kind.torch = exact({torch_function});
  kind.keras = exact({"RepeatVector"});
  kind.summary = "The vector x (n f) several times: y (n t f).";
  kind.sources = {"https://keras.io/api/layers/reshaping_layers/repeat_vector/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.compute = compute;
  kind.cases = {keras_case("three times", "RepeatVector", {{"n", 3}}, {2, 4}),
                keras_case("once", "RepeatVector", {{"n", 1}}, {2, 4})};
  return kind;
}

}  // namespace tieout::layers
