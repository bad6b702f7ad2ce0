#include "layers/shared/convolution.h"

namespace tieout::layers {

LayerKind conv1d() {
  LayerKind kind = convolution_kind(1, false);
  return kind;
}

}  // namespace tieout::layers
