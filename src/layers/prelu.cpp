#include <algorithm>

#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"
#include "layers/shared/sample_axes.h"

// y = x above 0, alpha x below.
//
//   alpha: the axes of the setting "axes", under the names that they have in the value
//
// PyTorch's nn.PReLU has one number, or one for each place along axis 1; Keras' has one for each element of a
// sample unless axes are shared. Where PyTorch's has not, a class of our own has the whole shape.

namespace tieout::layers {

namespace {

constexpr const char* definition = R"(class FullPReLU(nn.Module):
    """x above 0, weight * x below; weight has the given shape, which fits a sample of x."""

    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.full(shape, 0.25))

    def forward(self, x):
        return torch.where(x > 0, x, self.weight * x)
)";

void add(Lifter& lifter, const SampleAxes& kept, const std::string& name, const std::string& pattern) {
  Layer layer = lifter.layer("prelu");
  layer.settings = {{"axes", kept.axes}};
  layer.parameters = {
      lifter.parameter("alpha", kept.canonical, {lifter.term(name, pattern)}, kept.sizes, kept.along)};
  lifter.add(std::move(layer));
}

void lift_keras(Lifter& lifter) {
  if (lifter.weights_only()) {
    const SampleAxes kept = axes_of_shape(lifter.settings().list("_shape"));
    add(lifter, kept, "alpha", kept.broadcast);
    return;
  }
  if (!lifter.input().known) lifter.refuse("its input's rank is not known", "give it with --input-shape");
  const auto shared = lifter.settings().has("shared_axes") ? lifter.settings().list("shared_axes")
                                                           : std::vector<std::int64_t>{};
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size());
  std::vector<int> axes;
  for (std::int64_t k = 1; k < rank; ++k) {
    // Keras writes to param_shape[shared - 1]: a negative number counts from the end, shifted by one.
    const bool is_shared = std::ranges::any_of(
        shared, [&](std::int64_t axis) { return (axis - 1 < 0 ? axis - 1 + rank - 1 : axis - 1) == k - 1; });
    if (!is_shared) axes.push_back(static_cast<int>(k));
  }
  name_channels(lifter, sample_axes(lifter, axes).axes);
  const SampleAxes kept = sample_axes(lifter, axes);
  for (const int axis : kept.axes) {
    if (lifter.size(0, axis) == unknown && lifter.node().parameters.empty())
      lifter.refuse("it has a slope for each place of an axis of unknown size", "share that axis");
  }
  add(lifter, kept, "alpha", kept.broadcast);
}

void lift_torch(Lifter& lifter) {
  if (lifter.node().class_name == "tieout.FullPReLU") {
    name_channels(lifter, axes_of_setting(lifter).axes);
    const SampleAxes kept = axes_of_setting(lifter);
    add(lifter, kept, "weight", kept.broadcast);
    return;
  }
  const std::int64_t count = lifter.settings().integer("num_parameters", 1);
  if (count == 1 || lifter.weights_only() || !lifter.input().known) {
    const SampleAxes kept = axes_of_shape({count});
    add(lifter, kept, "weight", kept.broadcast);
    return;
  }
  if (lifter.input().axes.size() < 2) lifter.refuse("its input has no channels", "use one parameter");
  lifter.expect_size(0, 1, count);
  name_channels(lifter, {1});
  const SampleAxes kept = sample_axes(lifter, {1});
  add(lifter, kept, "weight", kept.canonical);
}

void lift(Lifter& lifter) {
  if (lifter.is_keras()) {
    lift_keras(lifter);
  } else {
    lift_torch(lifter);
  }
}

void lower(Lowerer& lowerer) {
  const auto axes = axes_in_target(lowerer);
  const auto& input = lowerer.axes();
  const auto shape = broadcast_shape(input, axes);
  if (lowerer.to_keras()) {
    Json shared = Json::array();
    for (std::size_t k = 0; k < shape.size(); ++k) {
      const bool runs = std::ranges::find(axes, static_cast<int>(k) + 1) != axes.end();
      if (!runs) shared.push_back(k + 1);
    }
    lowerer.add("PReLU", {{"shared_axes", shared.empty() ? Json() : shared}});
  } else if (axes.empty()) {
    lowerer.add("PReLU", Json::object());
  } else if (axes == std::vector<int>{1}) {
    lowerer.add("PReLU", {{"num_parameters", shape[0]}});
  } else {
    add_own_class(lowerer, "FullPReLU", definition, {{"shape", shape}});
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& alpha = e.parameter("alpha");
  return {with_places(*e.inputs[0], e.layer.settings["axes"].get<std::vector<int>>(),
                      [&](double x, std::size_t place) { return x > 0 ? x : alpha.data.at(place) * x; })};
}

std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (tensors.size() != 1) return std::nullopt;
  const auto& [name, shape] = tensors[0];
  FrameworkNode node;
  if (framework == Framework::torch) {
    if (name != "weight" || shape.size() != 1) return std::nullopt;
    node.class_name = "PReLU";
    node.settings = {{"num_parameters", shape[0]}};
    return node;
  }
  if (name != "alpha") return std::nullopt;
  node.class_name = "PReLU";
  node.settings = {{"_shape", shape}};
  return node;
}

// The slopes of places along axes of one size, read with the axes in another order.
bool other_order(Layer& layer, Framework, const std::vector<Axes>&) {
  Parameter& alpha = layer.parameters.at(0);
  bool changed = false;
  for (Term& term : alpha.terms) {
    std::vector<std::size_t> full;
    for (std::size_t k = 0; k < term.pattern.groups.size(); ++k) {
      if (!term.pattern.groups[k].empty()) full.push_back(k);
    }
    const auto size = [&](std::size_t k) { return alpha.sizes.at(term.pattern.groups[k][0].name); };
    for (std::size_t k = 1; k < full.size(); ++k) {
      if (size(full[k]) != size(full[0]) || size(full[k]) == 1) return false;
      std::swap(term.pattern.groups[full[0]], term.pattern.groups[full[k]]);
      changed = true;
    }
  }
  return changed;
}

std::vector<Case> cases() {
  const Json space = Json::array({1, 2});
  return {
      torch_case("default", "PReLU", Json::object(), {2, 3, 4, 5}),
      torch_case("for each channel", "PReLU", {{"num_parameters", 3}}, {2, 3, 4, 5}),
      torch_case("for each channel of a signal", "PReLU", {{"num_parameters", 3}}, {2, 3, 4}),
      torch_case("for each channel of a volume", "PReLU", {{"num_parameters", 3}}, {2, 3, 4, 5, 2}),
      torch_case("for each feature", "PReLU", {{"num_parameters", 5}}, {3, 5}),
      torch_case("one for all features", "PReLU", Json::object(), {3, 5}),
      keras_case("default", "PReLU", Json::object(), {2, 4, 5, 3}),
      keras_case("a cube", "PReLU", Json::object(), {2, 3, 3, 3}),
      keras_case("for each channel", "PReLU", {{"shared_axes", space}}, {2, 4, 5, 3}),
      keras_case("one for all", "PReLU", {{"shared_axes", Json::array({1, 2, 3})}}, {2, 4, 5, 3}),
      keras_case("for each row and channel", "PReLU", {{"shared_axes", Json::array({2})}}, {2, 4, 5, 3}),
      keras_case("for each pixel", "PReLU", {{"shared_axes", 3}}, {2, 4, 5, 3}),
      keras_case("for each row", "PReLU", {{"shared_axes", Json::array({2, 3})}}, {2, 4, 5, 3}),
      keras_case("for each feature", "PReLU", Json::object(), {3, 5}),
      keras_case("for each step and feature", "PReLU", Json::object(), {2, 4, 3}),
      keras_case("for each feature of a sequence", "PReLU", {{"shared_axes", Json::array({1})}}, {2, 4, 3}),
      keras_case("a volume", "PReLU", Json::object(), {2, 4, 5, 2, 3})};
}

}  // namespace

LayerKind prelu() {
  LayerKind kind;
  kind.name = "prelu";
  kind.torch = exact({"PReLU", "tieout.FullPReLU"});
  kind.keras = exact({"PReLU"});
  kind.summary = "y = x for x > 0, alpha x otherwise; alpha for all, for each channel or for each element.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html",
                  "https://keras.io/api/layers/activation_layers/prelu/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.recognise = recognise;
  kind.absorbs_flatten = true;
  kind.mistakes = {{"axes_order",
                    "the axes of the slopes stand in another order, as after a reshape without a permute",
                    other_order}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
