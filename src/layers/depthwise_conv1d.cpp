#include "layers/shared/convolution.h"

namespace tieout::layers {

LayerKind depthwise_conv1d() {
  LayerKind kind = convolution_kind(1, true);
  return kind;
}

}  // namespace tieout::layers
