#include "layers/shared/transposed_convolution.h"

namespace tieout::layers {

LayerKind conv_transpose1d() {
  return transposed_convolution_kind(1);
}

}  // namespace tieout::layers
