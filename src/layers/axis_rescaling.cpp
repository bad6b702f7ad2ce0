#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"
#include "layers/shared/rescaling.h"
#include "layers/shared/sample_axes.h"

// y = scale x + offset, with numbers of their own along the axes of the setting "axes" (flat lists over
// them). The numbers are settings in both frameworks, not parameters.

namespace tieout::layers {

namespace {

constexpr const char* definition = R"(class AxisRescaling(nn.Module):
    """x * scale + offset, both lists in the given shape, which fits a sample of x."""

    def __init__(self, scale, offset, shape):
        super().__init__()
        for name, numbers in (("scale", scale), ("offset", offset)):
            numbers = torch.tensor(numbers, dtype=torch.float64).reshape(shape)
            self.register_buffer(name, numbers, persistent=False)

    def forward(self, x):
        return x * self.scale.to(x.dtype) + self.offset.to(x.dtype)
)";

void lift(Lifter& lifter) {
  const SampleAxes kept = axes_of_setting(lifter);
  Layer layer = lifter.layer("axis_rescaling");
  name_channels(lifter, kept.axes);
  layer.settings = {{"axes", kept.axes},
                    {"scale", array_of(lifter.settings().raw("scale")).data},
                    {"offset", array_of(lifter.settings().raw("offset")).data}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  Array scale = in_target_order(lowerer, settings["scale"]);
  Array offset = in_target_order(lowerer, settings["offset"]);
  const auto shape = broadcast_shape(lowerer.axes(), axes_in_target(lowerer));
  if (lowerer.to_torch()) {
    add_own_class(lowerer, "AxisRescaling", definition,
                  {{"scale", scale.data}, {"offset", offset.data}, {"shape", shape}});
    return;
  }
  scale.shape = offset.shape = shape;
  lowerer.add("Rescaling", {{"scale", nested_list(scale)}, {"offset", nested_list(offset)}});
}

std::vector<Array> compute(const Evaluation& e) {
  const auto axes = e.layer.settings["axes"].get<std::vector<int>>();
  const auto scale = e.layer.settings["scale"].get<std::vector<double>>();
  const auto offset = e.layer.settings["offset"].get<std::vector<double>>();
  return {with_places(*e.inputs[0], axes,
                      [&](double x, std::size_t place) { return x * scale.at(place) + offset.at(place); })};
}

// scale (x + offset)
bool offset_first(Layer& layer, Framework, const std::vector<Axes>&) {
  const Json own = layer.settings;
  for (std::size_t k = 0; k < own["offset"].size(); ++k)
    layer.settings["offset"][k] = own["scale"].at(k).get<double>() * own["offset"][k].get<double>();
  return layer.settings != own;
}

}  // namespace

LayerKind axis_rescaling() {
  LayerKind kind;
  kind.name = "axis_rescaling";
  kind.torch = exact({"tieout.AxisRescaling"});
  kind.summary = "y = scale x + offset, with numbers of their own along some axes.";
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      {"offset_first", "the offset is added before the scale multiplies instead of after it", offset_first}};
  const Json first = Json::array({Json::array({1, 2, 3})});
  const Json second = Json::array({Json::array({4, 5, 6})});
  const Json rows_and_channels = Json::array({first, second});
  kind.cases = {
      keras_case("for each channel", "Rescaling",
                 {{"scale", Json::array({0.5, 2, 4})}, {"offset", Json::array({1, 0, -1})}}, {2, 4, 5, 3}),
      keras_case("for each channel, one offset", "Rescaling",
                 {{"scale", Json::array({0.5, 2, 4})}, {"offset", 1.5}}, {2, 4, 3}),
      keras_case("for each feature", "Rescaling", {{"scale", 0.5}, {"offset", Json::array({1, 2, 3, 4, 5})}},
                 {3, 5}),
      keras_case("for each row and channel", "Rescaling", {{"scale", rows_and_channels}, {"offset", 0.0}},
                 {2, 2, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
