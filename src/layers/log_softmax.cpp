#include "layers/shared/softmax.h"

namespace tieout::layers {

LayerKind log_softmax() {
  return softmax_kind(SoftmaxOf::logarithm);
}

}  // namespace tieout::layers
