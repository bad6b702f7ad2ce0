#include "layers/shared/elementwise.h"

// Keras' Activation layer: reads as the kind of the function that it names, so it is never a kind in a model.

namespace tieout::layers {

LayerKind activation() {
  LayerKind kind;
  kind.name = "activation";
  kind.keras = exact({"Activation"});
  kind.summary = "Keras' layer around an activation function: read as that function's own kind.";
  kind.sources = {"https://keras.io/api/layers/core_layers/activation/"};
  kind.lift = [](Lifter& lifter) { lifter.add_activation(lifter.settings().raw("activation")); };
  return kind;
}

}  // namespace tieout::layers
