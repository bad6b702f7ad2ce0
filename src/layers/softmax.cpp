#include "layers/shared/softmax.h"

namespace tieout::layers {

LayerKind softmax() {
  return softmax_kind(SoftmaxOf::probability);
}

}  // namespace tieout::layers
