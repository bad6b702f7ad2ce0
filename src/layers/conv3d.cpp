#include "layers/shared/convolution.h"

namespace tieout::layers {

LayerKind conv3d() {
  LayerKind kind = convolution_kind(3, false);
  return kind;
}

}  // namespace tieout::layers
