#include <numeric>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// Reorders the axes; names go with them.   x: a b c   ->   y: the same axes in the order `dims`

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  std::vector<std::int64_t> dims = given.list("dims");
  // Keras leaves the batch out and keeps it first.
  if (lifter.is_keras()) dims.insert(dims.begin(), 0);
  Layer layer = lifter.layer("permute");
  std::vector<bool> seen(dims.size(), false);
  for (const std::int64_t axis : dims) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(dims.size()) || seen[static_cast<std::size_t>(axis)]) {
      throw malformed("dims is not a permutation of the axes");
    }
    seen[static_cast<std::size_t>(axis)] = true;
  }
  if (!lifter.weights_only() && lifter.input().known && lifter.input().axes.size() != dims.size()) {
    throw malformed("dims names " + std::to_string(dims.size()) + " axes, the input has " +
                    std::to_string(lifter.input().axes.size()));
  }
  layer.settings = {{"dims", dims}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out;
  for (const int axis : layer.settings["dims"].get<std::vector<int>>()) {
    out.push_back(inputs[0].at(static_cast<std::size_t>(axis)));
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const auto dims = lowerer.layer().settings["dims"].get<std::vector<int>>();
  if (lowerer.to_torch()) {
    std::string list;
    for (const int axis : dims) list += (list.empty() ? "" : ", ") + std::to_string(axis);
    lowerer.add("torch.permute", {{"dims", dims}}, "{0}.permute(" + list + ")");
    return;
  }
  if (dims.front() != 0)
    lowerer.refuse("it moves the batch axis, which no Keras layer does", "keep the batch first");
  lowerer.add("Permute", {{"dims", std::vector<int>(dims.begin() + 1, dims.end())}});
}

}  // namespace

LayerKind permute() {
  LayerKind kind;
  kind.name = "permute";
  kind.torch = {{"torch.permute", Status::exact, ""}};
  kind.keras = {{"Permute", Status::exact, ""}};
  kind.summary = "Reorders the axes of x.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.permute.html",
                  "https://keras.io/api/layers/reshaping_layers/permute/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = [](const Evaluation& e) {
    return std::vector<Array>{permuted(*e.inputs[0], e.layer.settings["dims"].get<std::vector<int>>())};
  };
  kind.cases = {keras_case("channels first", "Permute", {{"dims", Json::array({3, 1, 2})}}, {2, 4, 5, 3}),
                keras_case("sequence", "Permute", {{"dims", Json::array({2, 1})}}, {2, 4, 5})};
  return kind;
}

}  // namespace tieout::layers
