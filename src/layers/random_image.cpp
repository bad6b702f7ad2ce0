#include "layers/shared/elementwise.h"

// Keras' layers that vary images at random in training: y = x in inference, so they are read as that.

namespace tieout::layers {

namespace {

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = {"AugMix",
                                               "CutMix",
                                               "MaxNumBoundingBoxes",
                                               "MixUp",
                                               "RandAugment",
                                               "RandomBrightness",
                                               "RandomColorDegeneration",
                                               "RandomColorJitter",
                                               "RandomContrast",
                                               "RandomElasticTransform",
                                               "RandomErasing",
                                               "RandomFlip",
                                               "RandomGaussianBlur",
                                               "RandomGrayscale",
                                               "RandomHue",
                                               "RandomInvert",
                                               "RandomPerspective",
                                               "RandomPosterization",
                                               "RandomRotation",
                                               "RandomSaturation",
                                               "RandomSharpness",
                                               "RandomShear",
                                               "RandomTranslation",
                                               "RandomZoom",
                                               "Solarization"};
  return all;
}

// What the constructor cannot do without.
Json settings_of(const std::string& name) {
  if (name == "MaxNumBoundingBoxes") return {{"max_number", 3}};
  if (name == "RandomPosterization") return {{"factor", 4}};
  if (name == "RandomTranslation") return {{"height_factor", 0.2}, {"width_factor", 0.2}};
  if (name == "RandomZoom") return {{"height_factor", 0.2}};
  for (const auto* other : {"RandomBrightness", "RandomColorDegeneration", "RandomContrast", "RandomHue",
                            "RandomRotation", "RandomSaturation", "RandomSharpness"}) {
    if (name == other) return {{"factor", 0.3}};
  }
  return Json::object();
}

}  // namespace

LayerKind random_image() {
  LayerKind kind;
  kind.name = "random_image";
  kind.summary = "Random changes to images in training; y = x in inference, and read as that.";
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/image_augmentation/"};
  for (const auto& name : names()) {
    kind.keras.push_back({name, Status::composed,
                          "becomes nn.Identity: equal in inference; vary the images yourself in training"});
    kind.cases.push_back(keras_case("images", name, settings_of(name), {2, 6, 7, 3}));
  }
  kind.keras.push_back({"RandomCrop", Status::refused,
                        "in inference Keras leaves the image as it is, and still states the cropped size to "
                        "the layers behind"});
  kind.keras.push_back({"Equalization", Status::refused,
                        "Keras 3.15 itself cannot build a model with it, since it gives back its own input; "
                        "equalise the images before the model"});
  kind.keras.push_back({"AutoContrast", Status::refused,
                        "it stretches each image's contrast in inference too, which no PyTorch layer does"});
  kind.keras.push_back({"ContrastLimitedAdaptiveHistogramEqualization", Status::refused,
                        "it equalises each image's histogram in inference too, which no PyTorch layer does"});
  kind.lift = [](Lifter& lifter) { lifter.add(lifter.layer("identity")); };
  return kind;
}

}  // namespace tieout::layers
