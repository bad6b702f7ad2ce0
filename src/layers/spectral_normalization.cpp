#include "layers/layer_kind.h"

// Keras' wrapper that divides a layer's kernel by its largest singular value at each step of training, in
// place (keras/src/layers/normalization/spectral_normalization.py): in inference the kernel is used as it is
// stored, so that the wrapped layer is read as if it stood there itself. What only training needs, vector_u,
// is set aside before (src/convert/constraints).

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const Json& wrapped = lifter.settings().raw("layer");
  if (wrapped.is_object() && wrapped.contains("class_name") && wrapped["class_name"] == "Embedding") {
    lifter.refuse("it casts the vectors of the Embedding that it wraps to the type of the indices",
                  "save the model with the Embedding (its .layer) in its place");
  }
  lifter.add_wrapped(wrapped, "layer/");
}

Case wrapping(const std::string& name, const std::string& class_name, const Json& config,
              const Shape& shape) {
  const Json layer = {{"module", "keras.layers"},
                      {"class_name", class_name},
                      {"config", config},
                      {"registered_name", nullptr}};
  return {.name = name,
          .framework = Framework::keras,
          .class_name = "SpectralNormalization",
          .settings = {{"layer", layer}},
          .input_shapes = {shape}};
}

}  // namespace

LayerKind spectral_normalization() {
  LayerKind kind;
  kind.name = "spectral_normalization";
  kind.keras = {{"SpectralNormalization", Status::composed,
                 "becomes the wrapped layer: equal in inference, not in training"}};
  kind.summary = "The wrapped layer, whose kernel is divided by its largest singular value in training only.";
  kind.sources = {"https://keras.io/api/layers/normalization_layers/spectral_normalization/"};
  kind.lift = lift;
  kind.cases = {
      wrapping("Dense, activation", "Dense", {{"units", 5}, {"activation", "relu"}}, {3, 4}),
      wrapping("Dense, no bias", "Dense", {{"units", 5}, {"use_bias", false}}, {2, 3, 4}),
      wrapping("Conv2D, same", "Conv2D",
               {{"filters", 4}, {"kernel_size", {3, 2}}, {"padding", "same"}, {"strides", 2}}, {2, 6, 5, 3}),
      wrapping("Conv1D", "Conv1D", {{"filters", 4}, {"kernel_size", 3}}, {2, 6, 3}),
      wrapping("Conv2DTranspose", "Conv2DTranspose",
               {{"filters", 4}, {"kernel_size", 3}, {"strides", 2}, {"padding", "same"}}, {2, 4, 5, 3}),
      wrapping("DepthwiseConv2D", "DepthwiseConv2D", {{"kernel_size", 3}}, {2, 6, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
