#include <algorithm>
#include <cmath>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/normalisation.h"
#include "layers/shared/own_class.h"
#include "layers/shared/rescaling.h"
#include "layers/shared/sample_axes.h"

// y = (x - mean) / max(sqrt(variance), 1e-7), or the way back, y = mean + x max(sqrt(variance), 1e-7).
//
// mean and variance run along the axes of the setting "axes". They are parameters where Keras has learned
// them (adapt), and settings, flat lists, where the config has them; a count of samples that old files have
// is carried as it is.

namespace tieout::layers {

namespace {

constexpr double smallest_deviation = 1e-7;  // keras.config.epsilon()

constexpr const char* definition = R"(class Normalization(nn.Module):
    """(x - mean) / sqrt(variance), or the way back: mean + x * sqrt(variance).

    mean and variance have the given shape, which fits a sample of x; count is that of the
    samples that they were computed from.
    """

    def __init__(self, shape, invert=False):
        super().__init__()
        self.invert = invert
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("variance", torch.ones(shape))
        self.register_buffer("count", torch.tensor(0))

    def forward(self, x):
        deviation = self.variance.sqrt().clamp(min=1e-7)
        if self.invert:
            return self.mean + x * deviation
        return (x - self.mean) / deviation
)";

constexpr const char* definition_of_constants = R"(class ConstantNormalization(nn.Module):
    """(x - mean) / sqrt(variance), or the way back: mean + x * sqrt(variance).

    mean and variance are lists in the given shape, which fits a sample of x.
    """

    def __init__(self, mean, variance, shape, invert=False):
        super().__init__()
        self.invert = invert
        for name, numbers in (("mean", mean), ("variance", variance)):
            numbers = torch.tensor(numbers, dtype=torch.float64).reshape(shape)
            self.register_buffer(name, numbers, persistent=False)

    def forward(self, x):
        mean = self.mean.to(x.dtype)
        deviation = self.variance.to(x.dtype).sqrt().clamp(min=1e-7)
        if self.invert:
            return mean + x * deviation
        return (x - mean) / deviation
)";

// The axes that Keras keeps, ascending.
std::vector<int> keras_axes(const Lifter& lifter) {
  if (!lifter.input().known) lifter.refuse("its input's rank is not known", "give it with --input-shape");
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size());
  auto given =
      lifter.node().settings.contains("axis")
          ? (lifter.settings().has("axis") ? lifter.settings().list("axis") : std::vector<std::int64_t>{})
          : std::vector<std::int64_t>{-1};
  std::vector<int> axes;
  for (const std::int64_t axis : given) axes.push_back(static_cast<int>(checked_axis(axis, rank)));
  std::ranges::sort(axes);
  if (!axes.empty() && axes[0] == 0)
    lifter.refuse("it has other statistics for each sample of the batch", "leave axis 0 out");
  return axes;
}

// The pattern of Keras' variables: the kept axes, those of size 1 as well.
std::string keras_pattern(const Lifter& lifter, const std::vector<int>& axes) {
  std::string pattern;
  for (const int axis : axes) {
    const Axis& kept = lifter.input().axes[static_cast<std::size_t>(axis)];
    pattern += (pattern.empty() ? "" : " ") + (kept.size == 1 ? std::string("1") : kept.name);
  }
  return pattern;
}

void add_statistics(Lifter& lifter, Layer& layer, const SampleAxes& kept, const std::string& pattern) {
  for (const auto* name : {"mean", "variance"}) {
    layer.parameters.push_back(
        lifter.parameter(name, kept.canonical, {lifter.term(name, pattern)}, kept.sizes, kept.along));
  }
  Parameter count = lifter.parameter("count", "", {lifter.term("count", "")});
  count.bookkeeping = true;
  count.dtype = DType::i64;
  layer.parameters.push_back(std::move(count));
}

// Keras aligns the lists with the kept axes, on the right.
Json spread(const Lifter& lifter, const Json& list, const std::vector<int>& axes) {
  Shape shape;
  for (const int axis : axes) shape.push_back(lifter.size(0, axis));
  if (std::ranges::find(shape, unknown) != shape.end())
    lifter.refuse("the size of an axis with statistics is not known", "give it with --input-shape");
  return broadcast_to(array_of(list), shape).data;
}

void lift_keras(Lifter& lifter, Layer& layer) {
  const auto& given = lifter.settings();
  if (lifter.weights_only()) {
    layer.settings["axes"] = Json::array();
    add_statistics(lifter, layer, axes_of_shape({unknown}), "c");
    return;
  }
  const auto axes = keras_axes(lifter);
  const SampleAxes before = sample_axes(lifter, axes);
  name_channels(lifter, before.axes);
  const SampleAxes kept = sample_axes(lifter, axes);  // under their names
  layer.settings["axes"] = kept.axes;
  if (given.has("mean") != given.has("variance"))
    lifter.refuse("it has only one of mean and variance", "give both");
  if (!given.has("mean")) {
    add_statistics(lifter, layer, kept, keras_pattern(lifter, axes));
    return;
  }
  for (const auto* name : {"mean", "variance"})
    layer.settings[name] = spread(lifter, number_or_list(given.raw(name), 0), axes);
}

void lift_torch(Lifter& lifter, Layer& layer) {
  name_channels(lifter, axes_of_setting(lifter).axes);
  const SampleAxes kept = axes_of_setting(lifter);
  layer.settings["axes"] = kept.axes;
  if (lifter.node().class_name == "tieout.Normalization") {
    add_statistics(lifter, layer, kept, kept.broadcast);
    return;
  }
  for (const auto* name : {"mean", "variance"})
    layer.settings[name] = array_of(lifter.settings().raw(name)).data;
}

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("normalization");
  layer.settings = {{"invert", lifter.settings().flag("invert", false)}};
  if (lifter.is_keras()) {
    lift_keras(lifter, layer);
  } else {
    lift_torch(lifter, layer);
  }
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  auto axes = axes_in_target(lowerer);
  const auto shape = broadcast_shape(lowerer.axes(), axes);
  std::ranges::sort(axes);
  Json made = Json::object();
  if (settings.contains("mean")) {
    for (const auto* name : {"mean", "variance"}) {
      Array list = in_target_order(lowerer, settings[name]);
      made[name] = lowerer.to_torch() ? Json(list.data) : nested_list(list);
    }
  }
  if (lowerer.to_keras()) {
    const bool last = axes.size() == 1 && axes[0] == static_cast<int>(lowerer.axes().size()) - 1;
    made["axis"] = last ? Json(-1) : Json(axes);
    made["invert"] = settings["invert"];
    lowerer.add("Normalization", made);
    return;
  }
  made["shape"] = shape;
  if (settings["invert"].get<bool>()) made["invert"] = true;
  if (settings.contains("mean")) {
    add_own_class(lowerer, "ConstantNormalization", definition_of_constants, made);
  } else {
    add_own_class(lowerer, "Normalization", definition, made);
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const auto& settings = e.layer.settings;
  const auto statistic = [&](const std::string& name) {
    return settings.contains(name) ? settings[name].get<std::vector<double>>() : e.parameter(name).data;
  };
  const auto mean = statistic("mean");
  const auto variance = statistic("variance");
  const bool invert = e.flag("invert");
  return {with_places(*e.inputs[0], settings["axes"].get<std::vector<int>>(), [&](double x, std::size_t at) {
    const double deviation = std::max(std::sqrt(variance.at(at)), smallest_deviation);
    return invert ? mean.at(at) + x * deviation : (x - mean.at(at)) / deviation;
  })};
}

std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (tensors.size() != 3 || tensors[0].second != tensors[1].second || !tensors[2].second.empty())
    return std::nullopt;
  if (tensors[0].first != "mean" || tensors[1].first != "variance") return std::nullopt;
  if (framework == Framework::keras && tensors[0].second.size() != 1) return std::nullopt;
  FrameworkNode node;
  node.class_name = framework == Framework::keras ? "Normalization" : "tieout.Normalization";
  node.settings = Json::object();
  if (framework == Framework::torch) node.settings["shape"] = tensors[0].second;
  return node;
}

std::vector<Case> cases() {
  const Json mean = Json::array({0.5, -1, 2});
  const Json variance = Json::array({0.25, 4, 1});
  const Json both = {{"mean", mean}, {"variance", variance}};
  const Json matrix = Json::array({Json::array({1, 2, 3}), Json::array({4, 5, 6})});
  std::vector<Case> all = {
      keras_case("default", "Normalization", Json::object(), {2, 4, 5, 3}),
      keras_case("features", "Normalization", Json::object(), {3, 5}),
      keras_case("one number", "Normalization", {{"axis", nullptr}}, {2, 4, 5, 3}),
      keras_case("axis 1", "Normalization", {{"axis", 1}}, {2, 4, 5, 3}),
      keras_case("two axes", "Normalization", {{"axis", Json::array({1, -1})}}, {2, 4, 5, 3}),
      keras_case("the way back", "Normalization", {{"invert", true}}, {2, 4, 5, 3}),
      keras_case("one channel", "Normalization", Json::object(), {2, 4, 5, 1}),
      keras_case("given", "Normalization", both, {2, 4, 5, 3}),
      keras_case("given numbers", "Normalization", {{"axis", nullptr}, {"mean", 0.5}, {"variance", 4.0}},
                 {3, 5}),
      keras_case("given, a number for all channels", "Normalization", {{"mean", 0.5}, {"variance", 4.0}},
                 {2, 4, 5, 3}),
      keras_case("given, two axes", "Normalization",
                 {{"axis", Json::array({1, 3})}, {"mean", matrix}, {"variance", matrix}}, {2, 2, 5, 3}),
      keras_case("given, no variance", "Normalization",
                 {{"mean", mean}, {"variance", Json::array({0.25, 0, 1})}, {"invert", true}}, {2, 5, 3})};
  // Keras makes float32 tensors of the given numbers; these roots are not whole.
  all[10].keras_rounds_to_float32 = true;
  return all;
}

}  // namespace

LayerKind normalization() {
  LayerKind kind;
  kind.name = "normalization";
  kind.torch = exact({"tieout.Normalization", "tieout.ConstantNormalization"});
  kind.keras = exact({"Normalization"});
  kind.summary = "y = (x - mean) / max(sqrt(variance), 1e-7), or back, with stored statistics.";
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/numerical/normalization/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.recognise = recognise;
  const auto other_way = [](Layer& layer, Framework, const std::vector<Axes>&) {
    layer.settings["invert"] = !layer.settings["invert"].get<bool>();
    return true;
  };
  kind.mistakes = {
      {"invert", "one side normalises, the other does it backwards", other_way},
      swapped_mistake("mean_variance", "mean and variance stand in each other's place", "mean", "variance")};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
