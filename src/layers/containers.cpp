#include "layers/shared/elementwise.h"

// What the formats resolve before any layer is asked: the nodes inside are the layers.

namespace tieout::layers {

LayerKind containers() {
  LayerKind kind;
  kind.name = "containers";
  kind.torch = {{"Sequential", Status::exact, "its modules are the layers, one after another"}};
  kind.keras = {{"InputLayer", Status::exact, "an input of the model"}};
  kind.summary = "Structure: the layers are inside.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html",
                  "https://keras.io/api/layers/core_layers/input/"};
  // A Sequential that something else is hooked to, or an InputLayer in the middle, comes here.
  kind.lift = [](Lifter& lifter) {
    lifter.refuse("it stands where its layers were expected", "save the model again, without hooks");
  };
  return kind;
}

}  // namespace tieout::layers
