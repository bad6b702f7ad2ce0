#include "layers/shared/elementwise.h"
#include "layers/shared/mistakes.h"
#include "layers/shared/normalised_axes.h"
#include "layers/shared/own_class.h"
#include "layers/shared/sample_axes.h"
#include "tieout/error.h"

// y = gamma x, gamma running along one axis: the class of keras.applications' ConvNeXt, where it is the last
// axis.

namespace tieout::layers {

namespace {

constexpr const char* definition = R"(class LayerScale(nn.Module):
    """x * weight; weight has the given shape, which fits a sample of x."""

    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))

    def forward(self, x):
        return x * self.weight
)";

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("layer_scale");
  SampleAxes kept;
  std::string pattern;
  if (lifter.is_torch()) {
    kept = axes_of_setting(lifter);
    pattern = kept.broadcast;
  } else {
    const std::int64_t size = lifter.settings().integer("projection_dim");
    kept = axes_of_shape({size});
    if (!lifter.weights_only() && lifter.input().known) {
      lifter.expect_size(0, -1, size);
      kept = sample_axes(lifter, {static_cast<int>(lifter.input().axes.size()) - 1});
    }
    pattern = kept.canonical.empty() ? "1" : kept.canonical;
  }
  if (kept.axes.size() > 1) throw malformed("a LayerScale with more than one axis");
  layer.settings = {{"axes", kept.axes}};
  if (lifter.settings().has("init_values"))
    layer.settings["initial"] = lifter.settings().number("init_values", 1);
  layer.parameters = {lifter.parameter("gamma", kept.canonical,
                                       {lifter.term(lifter.is_torch() ? "weight" : "variable", pattern)},
                                       kept.sizes, kept.along)};
  layer.orders = order_as_it_is(lifter);
  lifter.add(std::move(layer));
}

// Keras scales the last axis.
LayoutNeed need(const Layer& layer, Framework target) {
  const bool any = target == Framework::torch || layer.settings["axes"].empty() || layer.orders.at(0).empty();
  return any ? LayoutNeed{} : normalised_axes_last(layer);
}

void lower(Lowerer& lowerer) {
  const auto axes = axes_in_target(lowerer);
  if (lowerer.to_torch()) {
    add_own_class(lowerer, "LayerScale", definition, {{"shape", broadcast_shape(lowerer.axes(), axes)}});
    return;
  }
  if (axes.empty()) lowerer.refuse("it has one number for all", "use Keras' Rescaling");
  FrameworkNode node;
  node.class_name = "LayerScale";
  node.module = "keras.src.applications.convnext";
  node.settings = {{"init_values", lowerer.layer().settings.value("initial", 1.0)},
                   {"projection_dim", lowerer.axes().back().size}};
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& gamma = e.parameter("gamma");
  return {with_places(*e.inputs[0], e.layer.settings["axes"].get<std::vector<int>>(),
                      [&](double x, std::size_t place) { return x * gamma.data.at(place); })};
}

}  // namespace

LayerKind layer_scale() {
  LayerKind kind;
  kind.name = "layer_scale";
  kind.torch = exact({"tieout.LayerScale"});
  kind.keras = exact({"LayerScale"});
  kind.summary = "y = gamma x, one gamma for each place along one axis.";
  kind.sources = {"keras/src/applications/convnext.py, class LayerScale", "https://arxiv.org/abs/2103.17239"};
  kind.lift = lift;
  kind.need = need;
  kind.lower = lower;
  kind.compute = compute;
  kind.absorbs_flatten = true;
  kind.mistakes = {forgotten_mistake("forgotten_gamma", "gamma was not carried: it is 1", {{"gamma", 1}})};
  kind.cases = {
      keras_case("image", "LayerScale", {{"init_values", 1e-6}, {"projection_dim", 3}}, {2, 4, 5, 3}),
      keras_case("sequence", "LayerScale", {{"init_values", 0.5}, {"projection_dim", 3}}, {2, 4, 3}),
      keras_case("features", "LayerScale", {{"init_values", 1.0}, {"projection_dim", 5}}, {3, 5})};
  return kind;
}

}  // namespace tieout::layers
