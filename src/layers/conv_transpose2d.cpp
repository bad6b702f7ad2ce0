#include "layers/shared/transposed_convolution.h"

namespace tieout::layers {

LayerKind conv_transpose2d() {
  return transposed_convolution_kind(2);
}

}  // namespace tieout::layers
