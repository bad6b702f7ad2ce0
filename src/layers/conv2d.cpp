#include "layers/shared/convolution.h"

namespace tieout::layers {

LayerKind conv2d() {
  LayerKind kind = convolution_kind(2, false);
  return kind;
}

}  // namespace tieout::layers
