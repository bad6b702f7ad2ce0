#include <algorithm>
#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/normalisation.h"
#include "layers/shared/normalised_axes.h"
#include "layers/shared/sample_axes.h"

// y = (x - mean) / sqrt(variance + epsilon) gamma + beta, mean and variance over the axes of the setting
// "axes" (numbers in the value's own order), for each of the other positions.
//
// gamma, beta: the normalised axes, under the names that they have in the value; so that (c h w) meets (h w
// c).

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const bool torch = lifter.is_torch();
  if (given.flag("rms_scaling", false)) {
    lifter.refuse("it scales by the root mean square (rms_scaling=True)", "use Keras' RMSNormalization");
  }
  const auto axes = normalised_axes(lifter);
  const bool affine = given.flag("elementwise_affine", true);
  bool scale = torch ? affine : given.flag("scale", true);
  bool center = torch ? affine && given.flag("bias", true) : given.flag("center", true);
  // A pickled module shows what is missing by the missing tensors.
  if (torch && !lifter.node().parameters.empty()) center = lifter.has_variable("bias");
  Layer layer = lifter.layer("layer_norm");
  layer.settings = {
      {"epsilon", given.number(torch ? "eps" : "epsilon", torch ? torch_epsilon : keras_epsilon)},
      {"axes", axes}};
  const Normalised over = normalised(lifter, axes);
  const auto add = [&](const std::string& name, bool stored, const std::string& torch_name,
                       double otherwise) {
    layer.parameters.push_back(
        stored ? lifter.parameter(name, over.pattern, {lifter.term(torch ? torch_name : name, over.pattern)},
                                  over.sizes, over.along)
               : lifter.constant(name, over.pattern, over.sizes, otherwise));
  };
  add("gamma", scale, "weight", 1);
  add("beta", center, "bias", 0);
  layer.orders = order_as_it_is(lifter);
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  std::vector<int> axes;
  for (const auto& axis : settings["axes"]) axes.push_back(lowerer.target_axis(0, axis.get<int>()));
  std::ranges::sort(axes);
  if (lowerer.to_keras()) {
    Json axis = axes;
    if (axes.size() == 1 && axes[0] == static_cast<int>(lowerer.axes().size()) - 1) axis = -1;
    lowerer.add("LayerNormalization", {{"axis", axis},
                                       {"epsilon", settings["epsilon"]},
                                       {"center", lowerer.stores("beta")},
                                       {"scale", lowerer.stores("gamma")}});
    return;
  }
  Json made = {{"normalized_shape", Json::array()}, {"eps", settings["epsilon"]}};
  for (const int axis : axes)
    made["normalized_shape"].push_back(lowerer.axes()[static_cast<std::size_t>(axis)].size);
  if (!lowerer.stores("gamma") && !lowerer.stores("beta")) {
    made["elementwise_affine"] = false;
  } else if (!lowerer.stores("beta")) {
    made["bias"] = false;
  }
  lowerer.add("LayerNorm", made);
}

std::vector<Array> compute(const Evaluation& e) {
  const auto axes = e.layer.settings["axes"].get<std::vector<int>>();
  const Array& gamma = e.parameter("gamma");
  const Array& beta = e.parameter("beta");
  const double epsilon = e.number("epsilon");
  return {along_axes(*e.inputs[0], axes, [&](double* row, std::int64_t size) {
    double mean = 0;
    double variance = 0;
    for (std::int64_t k = 0; k < size; ++k) mean += row[k] / static_cast<double>(size);
    for (std::int64_t k = 0; k < size; ++k)
      variance += (row[k] - mean) * (row[k] - mean) / static_cast<double>(size);
    const double factor = 1 / std::sqrt(variance + epsilon);
    for (std::int64_t k = 0; k < size; ++k) {
      const auto at = static_cast<std::size_t>(k);
      row[k] = (row[k] - mean) * factor * gamma.data[at] + beta.data[at];
    }
  })};
}

// Two equal vectors; in Keras a batch normalisation without center and scale looks the same unless the file
// names them.
std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (tensors.size() != 2 || tensors[0].second != tensors[1].second) return std::nullopt;
  FrameworkNode node;
  if (framework == Framework::torch) {
    if (tensors[0].first != "weight" || tensors[1].first != "bias") return std::nullopt;
    node.class_name = "LayerNorm";
    node.settings = {{"normalized_shape", tensors[0].second}};
    return node;
  }
  if (tensors[0].first != "gamma" || tensors[1].first != "beta" || tensors[0].second.size() != 1)
    return std::nullopt;
  node.class_name = "LayerNormalization";
  node.settings = Json::object();
  return node;
}

std::vector<Case> cases() {
  const Json c_h_w = Json::array({3, 4, 5});
  std::vector<Case> all = {
      torch_case("features", "LayerNorm", {{"normalized_shape", 5}}, {3, 5}),
      torch_case("sequence", "LayerNorm", {{"normalized_shape", Json::array({5})}}, {3, 4, 5}),
      torch_case("image", "LayerNorm", {{"normalized_shape", c_h_w}}, {2, 3, 4, 5}),
      torch_case("two axes", "LayerNorm", {{"normalized_shape", Json::array({4, 5})}}, {2, 3, 4, 5}),
      torch_case("no bias", "LayerNorm", {{"normalized_shape", 5}, {"bias", false}}, {3, 5}),
      torch_case("no weights", "LayerNorm", {{"normalized_shape", 5}, {"elementwise_affine", false}}, {3, 5}),
      torch_case("small numbers", "LayerNorm", {{"normalized_shape", 5}}, {3, 5}),
      keras_case("features", "LayerNormalization", Json::object(), {3, 5}),
      keras_case("small numbers", "LayerNormalization", Json::object(), {3, 5}),
      keras_case("sequence", "LayerNormalization", {{"epsilon", 1e-6}}, {3, 4, 5}),
      keras_case("channels of an image", "LayerNormalization", Json::object(), {2, 4, 5, 3}),
      keras_case("image", "LayerNormalization", {{"axis", Json::array({1, 2, 3})}}, {2, 4, 5, 3}),
      keras_case("axis 1", "LayerNormalization", {{"axis", Json::array({1})}}, {2, 4, 5, 3}),
      keras_case("no center", "LayerNormalization", {{"center", false}}, {3, 5}),
      keras_case("no scale", "LayerNormalization", {{"scale", false}}, {3, 5})};
  for (auto& test : all) {
    if (test.name == "small numbers") test.inputs = "small";
  }
  return all;
}

}  // namespace

LayerKind layer_norm() {
  LayerKind kind;
  kind.name = "layer_norm";
  kind.torch = exact({"LayerNorm"});
  kind.keras = exact({"LayerNormalization"});
  kind.summary = "y = (x - mean) / sqrt(variance + epsilon) gamma + beta over some axes of each sample.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html",
                  "https://keras.io/api/layers/normalization_layers/layer_normalization/"};
  kind.lift = lift;
  kind.need = [](const Layer& layer, Framework target) {
    return target == Framework::keras ? LayoutNeed{} : normalised_axes_last(layer);
  };
  kind.lower = lower;
  kind.compute = compute;
  kind.recognise = recognise;
  kind.absorbs_flatten = true;
  kind.mistakes = {
      epsilon_mistake(),
      swapped_mistake("gamma_beta", "gamma and beta stand in each other's place", "gamma", "beta")};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
