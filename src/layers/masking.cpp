#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("masking");
  layer.settings = {{"value", lifter.settings().number(lifter.is_torch() ? "value" : "mask_value", 0.0)}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const Json value = lowerer.layer().settings.at("value");
  if (lowerer.to_keras()) {
    lowerer.add("Masking", {{"mask_value", value}});
    return;
  }
  lowerer.add("torch.masking", {{"value", value}},
              "torch.where(({0} != " + value.dump() + ").any(dim=-1, keepdim=True), {0}, 0.0)");
}

std::vector<Array> compute(const Evaluation& e) {
  const double value = e.number("value");
  return {along_axis(*e.inputs[0], -1, [&](double* row, std::int64_t size) {
    if (std::all_of(row, row + size, [&](double x) { return x == value; })) std::fill(row, row + size, 0.0);
  })};
}

}  // namespace

LayerKind masking() {
  LayerKind kind;
  kind.name = "masking";
  kind.torch = {{"torch.masking", Status::exact, ""}};
  kind.keras = {
      {"Masking", Status::composed,
       "a function that sets masked steps to 0; the mask itself is an input of the layers that use it"}};
  kind.summary =
      "Sets each row along the last axis to 0 where all its numbers are `value`: x (n t f) -> y (n t f).";
  kind.sources = {"https://keras.io/api/layers/core_layers/masking/"};
  kind.lift = lift;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.cases = {keras_case("default", "Masking", Json::object(), {2, 4, 3}),
                keras_case("another value", "Masking", {{"mask_value", 1.5}}, {2, 4, 3})};
  return kind;
}

}  // namespace tieout::layers
