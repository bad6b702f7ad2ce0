#include "layers/shared/transposed_convolution.h"

namespace tieout::layers {

LayerKind conv_transpose3d() {
  return transposed_convolution_kind(3);
}

}  // namespace tieout::layers
