#include "layers/shared/elementwise.h"

// y = x in inference. The rate and the form of the noise are carried, for training.

namespace tieout::layers {

namespace {

// "plain", "channels" (whole channels), "alpha", "alpha_channels", "gaussian" (multiplied), "noise" (added;
// the rate is its standard deviation).
std::string form_of(const std::string& class_name) {
  if (class_name == "Dropout") return "plain";
  if (class_name == "AlphaDropout") return "alpha";
  if (class_name == "FeatureAlphaDropout") return "alpha_channels";
  if (class_name == "GaussianDropout") return "gaussian";
  if (class_name == "GaussianNoise") return "noise";
  return "channels";  // Dropout1d to Dropout3d, SpatialDropout1D to SpatialDropout3D
}

Json read(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::string form = form_of(lifter.node().class_name);
  const double rate =
      lifter.is_torch() ? given.number("p", 0.5) : given.number(form == "noise" ? "stddev" : "rate", 0.5);
  return {{"form", form}, {"rate", rate}};
}

void write(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const std::string form = settings["form"].get<std::string>();
  const std::size_t rank = lowerer.axes().size();
  const bool torch = lowerer.to_torch();
  const Json rate = {{torch ? "p" : (form == "noise" ? "stddev" : "rate"), settings["rate"]}};
  if (form == "channels" && rank >= 3 && rank <= 5) {
    const std::string digit = std::to_string(rank - 2);
    lowerer.add(torch ? "Dropout" + digit + "d" : "SpatialDropout" + digit + "D", rate);
  } else if (form == "alpha" || form == "alpha_channels") {
    lowerer.add(torch && form == "alpha_channels" ? "FeatureAlphaDropout" : "AlphaDropout", rate);
  } else if (form == "gaussian" || form == "noise") {
    if (torch) {
      lowerer.add("Identity", Json::object());
    } else {
      lowerer.add(form == "noise" ? "GaussianNoise" : "GaussianDropout", rate);
    }
  } else {
    lowerer.add("Dropout", rate);
  }
}

}  // namespace

LayerKind dropout() {
  Elementwise form;
  form.name = "dropout";
  form.torch = exact({"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"});
  form.torch.push_back(
      {"FeatureAlphaDropout", Status::composed, "becomes AlphaDropout: equal in inference, not in training"});
  form.keras = exact({"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"});
  for (const auto* name : {"GaussianDropout", "GaussianNoise"}) {
    form.keras.push_back(
        {name, Status::composed, "becomes nn.Identity: equal in inference, not in training"});
  }
  form.summary = "y = x in inference.";
  form.read = read;
  form.function = [](double x, const Json&) { return x; };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#dropout-layers",
                  "https://keras.io/api/layers/regularization_layers/"};
  kind.cases = {
      torch_case("default", "Dropout", Json::object(), {2, 5}),
      torch_case("whole channels", "Dropout2d", {{"p", 0.3}}, {2, 3, 4, 5}),
      torch_case("whole channels of a signal", "Dropout1d", {{"p", 0.3}}, {2, 3, 4}),
      torch_case("whole channels of a volume", "Dropout3d", Json::object(), {2, 3, 4, 5, 2}),
      torch_case("alpha", "AlphaDropout", {{"p", 0.1}}, {2, 5}),
      torch_case("alpha, whole channels", "FeatureAlphaDropout", {{"p", 0.1}}, {2, 3, 4, 5}),
      keras_case("plain", "Dropout", {{"rate", 0.25}}, {2, 4, 5, 3}),
      keras_case("whole channels", "SpatialDropout2D", {{"rate", 0.25}}, {2, 4, 5, 3}),
      keras_case("whole channels of a sequence", "SpatialDropout1D", {{"rate", 0.25}}, {2, 4, 3}),
      keras_case("whole channels of a volume", "SpatialDropout3D", {{"rate", 0.25}}, {2, 4, 5, 2, 3}),
      keras_case("alpha", "AlphaDropout", {{"rate", 0.25}}, {2, 5}),
      keras_case("multiplied noise", "GaussianDropout", {{"rate", 0.25}}, {2, 5}),
      keras_case("added noise", "GaussianNoise", {{"stddev", 0.5}}, {2, 5})};
  return kind;
}

}  // namespace tieout::layers
