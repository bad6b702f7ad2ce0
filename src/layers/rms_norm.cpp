#include <cmath>
#include <limits>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"
#include "layers/shared/normalisation.h"
#include "layers/shared/normalised_axes.h"
#include "layers/shared/sample_axes.h"

// y = x / sqrt(mean(x^2) + epsilon) gamma, the mean over the last axes of each sample.
//
// The setting "epsilon" is null for PyTorch's eps=None where no weight tells the type: the machine epsilon of
// the type that is computed in.

namespace tieout::layers {

namespace {

constexpr double keras_rms_epsilon = 1e-6;

double machine_epsilon(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return std::numeric_limits<double>::epsilon();
    case DType::f16:
      return 0x1p-10;
    case DType::bf16:
      return 0x1p-7;
    default:
      return std::numeric_limits<float>::epsilon();
  }
}

Json epsilon_of(const Lifter& lifter, const Parameter& gamma) {
  const auto& given = lifter.settings();
  if (lifter.is_keras()) return given.number("epsilon", keras_rms_epsilon);
  if (given.has("eps")) return given.number("eps", 0);
  return gamma.terms.empty() ? Json() : Json(machine_epsilon(gamma.dtype));
}

// Keras multiplies by its scale along the last axes, whatever the axes are.
void check_keras_axes(const Lifter& lifter, const std::vector<std::int64_t>& axes) {
  if (axes.empty() || lifter.is_torch()) return;
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size());
  if (axes.back() == rank - 1 && axes.front() == rank - static_cast<std::int64_t>(axes.size())) return;
  lifter.refuse("its axis is not the last one, along which Keras lays its scale all the same",
                "permute the input so that the normalised axes are the last ones");
}

void lift(Lifter& lifter) {
  const auto axes = normalised_axes(lifter);
  check_keras_axes(lifter, axes);
  const Normalised over = normalised(lifter, axes);
  bool stored = lifter.is_keras() ? lifter.node().class_name == "RMSNormalization"
                                  : lifter.settings().flag("elementwise_affine", true);
  if (lifter.is_torch() && !lifter.node().parameters.empty()) stored = lifter.has_variable("weight");
  Layer layer = lifter.layer("rms_norm");
  layer.parameters = {
      stored ? lifter.parameter("gamma", over.pattern,
                                {lifter.term(lifter.is_torch() ? "weight" : "scale", over.pattern)},
                                over.sizes, over.along)
             : lifter.constant("gamma", over.pattern, over.sizes, 1)};
  layer.settings = {{"epsilon", epsilon_of(lifter, layer.parameters[0])}, {"axes", axes}};
  layer.orders = order_as_it_is(lifter);
  lifter.add(std::move(layer));
}

LayoutNeed need(const Layer& layer, Framework) {
  return normalised_axes_last(layer);
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const std::size_t count = settings["axes"].size();
  const auto& axes = lowerer.axes();
  if (lowerer.to_torch()) {
    Json made = {{"normalized_shape", Json::array()}, {"eps", settings["epsilon"]}};
    for (std::size_t k = axes.size() - count; k < axes.size(); ++k)
      made["normalized_shape"].push_back(axes[k].size);
    if (!lowerer.stores("gamma")) made["elementwise_affine"] = false;
    lowerer.add("RMSNorm", made);
    return;
  }
  if (settings["epsilon"].is_null()) {
    lowerer.refuse(
        "its eps is None, the machine epsilon of whatever type it computes in, and no weight tells it",
        "give it a number: eps=1.1920929e-07 is float32's");
  }
  Json axis = -1;
  if (count > 1) {
    axis = Json::array();
    for (std::size_t k = axes.size() - count; k < axes.size(); ++k) axis.push_back(k);
  }
  Json made = {{"axis", axis}, {"epsilon", settings["epsilon"]}};
  // Keras' layer always has a scale, its operation needs none.
  if (lowerer.stores("gamma")) {
    lowerer.add("RMSNormalization", made);
  } else {
    made["args"] = Json::array({{{"input", 0}}});
    made["kwargs"] = {{"scale", nullptr}};
    add_operation(lowerer, "RMSNorm", made);
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const auto& epsilon = e.layer.settings["epsilon"];
  const double added = epsilon.is_null() ? std::numeric_limits<double>::epsilon() : epsilon.get<double>();
  const Array& gamma = e.parameter("gamma");
  return {along_axes(*e.inputs[0], e.layer.settings["axes"].get<std::vector<int>>(),
                     [&](double* row, std::int64_t size) {
                       double mean = 0;
                       for (std::int64_t k = 0; k < size; ++k)
                         mean += row[k] * row[k] / static_cast<double>(size);
                       const double factor = 1 / std::sqrt(mean + added);
                       for (std::int64_t k = 0; k < size; ++k)
                         row[k] *= factor * gamma.data.at(static_cast<std::size_t>(k));
                     })};
}

std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (tensors.size() != 1 || tensors[0].second.size() != 1) return std::nullopt;
  FrameworkNode node;
  if (framework == Framework::torch) {
    if (tensors[0].first != "weight") return std::nullopt;
    node.class_name = "RMSNorm";
    node.settings = {{"normalized_shape", tensors[0].second}};
    return node;
  }
  if (tensors[0].first != "scale") return std::nullopt;
  node.class_name = "RMSNormalization";
  node.settings = Json::object();
  return node;
}

std::vector<Case> cases() {
  const Json h_w = Json::array({4, 5});
  std::vector<Case> all = {
      torch_case("features", "RMSNorm", {{"normalized_shape", 5}}, {3, 5}),
      torch_case("sequence", "RMSNorm", {{"normalized_shape", 5}, {"eps", 1e-6}}, {2, 4, 5}),
      torch_case("two axes", "RMSNorm", {{"normalized_shape", h_w}}, {2, 3, 4, 5}),
      torch_case("no weights", "RMSNorm",
                 {{"normalized_shape", 5}, {"elementwise_affine", false}, {"eps", 1e-3}}, {3, 5}),
      torch_case("no weights and no eps", "RMSNorm", {{"normalized_shape", 5}, {"elementwise_affine", false}},
                 {3, 5}),
      torch_case("small numbers", "RMSNorm", {{"normalized_shape", 5}, {"eps", 1e-4}}, {3, 5}),
      keras_case("features", "RMSNormalization", Json::object(), {3, 5}),
      keras_case("sequence", "RMSNormalization", {{"epsilon", 1e-3}}, {2, 4, 5}),
      keras_case("channels of an image", "RMSNormalization", Json::object(), {2, 4, 5, 3}),
      keras_case("two axes", "RMSNormalization", {{"axis", Json::array({2, 3})}}, {2, 4, 5, 3}),
      keras_case("whole images", "RMSNormalization", {{"axis", Json::array({-3, -2, -1})}}, {2, 4, 5, 3}),
      keras_case("small numbers", "RMSNormalization", Json::object(), {3, 5})};
  for (auto& test : all) {
    if (test.name == "small numbers") test.inputs = "small";
  }
  all[4].target_refuses = true;
  return all;
}

}  // namespace

LayerKind rms_norm() {
  LayerKind kind;
  kind.name = "rms_norm";
  kind.torch = exact({"RMSNorm"});
  kind.keras = exact({"RMSNormalization", "RMSNorm"});
  kind.summary = "y = x / sqrt(mean(x^2) + epsilon) gamma over the last axes of each sample.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html",
                  "https://keras.io/api/layers/normalization_layers/rms_normalization/"};
  kind.lift = lift;
  kind.need = need;
  kind.lower = lower;
  kind.compute = compute;
  kind.recognise = recognise;
  kind.absorbs_flatten = true;
  kind.mistakes = {wrong_setting(
      "epsilon", "epsilon is the other framework's default (PyTorch's of float32, Keras' 1e-6)", "epsilon",
      keras_rms_epsilon, static_cast<double>(std::numeric_limits<float>::epsilon()))};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
