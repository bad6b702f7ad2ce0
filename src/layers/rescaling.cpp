#include "layers/shared/rescaling.h"
#include "layers/shared/elementwise.h"

// y = scale x + offset, both plain numbers. Keras' layer with lists, one number for each place along the last
// axes, is read as axis_rescaling.

namespace tieout::layers {

namespace {

void write(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  if (lowerer.to_keras()) {
    lowerer.add("Rescaling", settings);
    return;
  }
  std::string call = "{0} * " + settings["scale"].dump();
  const double offset = settings["offset"].get<double>();
  if (offset > 0) call += " + " + settings["offset"].dump();
  if (offset < 0) call += " - " + Json(-offset).dump();
  lowerer.add("torch.rescale", settings, call);
}

void lift(Lifter& lifter) {
  const Json scale = number_or_list(lifter.settings().raw("scale"), 1);
  const Json offset = number_or_list(lifter.settings().raw("offset"), 0);
  if (scale.is_array() || offset.is_array()) {
    lift_axis_rescaling(lifter, scale, offset);
    return;
  }
  Layer layer = lifter.layer("rescaling");
  layer.settings = {{"scale", scale}, {"offset", offset}};
  lifter.add(std::move(layer));
}

// scale (x + offset)
bool offset_first(Layer& layer, Framework, const std::vector<Axes>&) {
  const double scale = layer.settings["scale"].get<double>();
  const double offset = layer.settings["offset"].get<double>();
  layer.settings["offset"] = scale * offset;
  return scale * offset != offset;
}

}  // namespace

LayerKind rescaling() {
  Elementwise form;
  form.name = "rescaling";
  form.torch = exact({"torch.rescale"});
  form.keras = exact({"Rescaling"});
  form.summary = "y = scale x + offset.";
  form.function = [](double x, const Json& settings) {
    return x * settings["scale"].get<double>() + settings["offset"].get<double>();
  };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/"};
  kind.lift = lift;
  kind.mistakes = {
      wrong_setting("offset", "the offset is left out", "offset", 0.0, 0.0),
      wrong_setting("scale", "the scale is left out", "scale", 1.0, 1.0),
      {"offset_first", "the offset is added before the scale multiplies instead of after it", offset_first},
  };
  kind.cases = {
      keras_case("pixels to 0 to 1", "Rescaling", {{"scale", 1.0 / 255}, {"offset", 0.0}}, {2, 4, 5, 3}),
      keras_case("pixels to -1 to 1", "Rescaling", {{"scale", 1 / 127.5}, {"offset", -1.0}}, {2, 4, 5, 3}),
      keras_case("whole numbers", "Rescaling", {{"scale", 2}, {"offset", 1}}, {3, 7})};
  // Keras passes its constants through float32.
  kind.cases[0].keras_rounds_to_float32 = true;
  kind.cases[1].keras_rounds_to_float32 = true;
  return kind;
}

}  // namespace tieout::layers
