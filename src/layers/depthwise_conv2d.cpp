#include "layers/shared/convolution.h"

namespace tieout::layers {

LayerKind depthwise_conv2d() {
  LayerKind kind = convolution_kind(2, true);
  return kind;
}

}  // namespace tieout::layers
