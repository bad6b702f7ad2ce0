#include "layers/shared/adaptive_pool.h"

namespace tieout::layers {

LayerKind adaptive_max_pool2d() {
  return adaptive_pool_kind(2, PoolOf::maximum);
}

}  // namespace tieout::layers
