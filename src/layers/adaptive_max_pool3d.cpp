#include "layers/shared/adaptive_pool.h"

namespace tieout::layers {

LayerKind adaptive_max_pool3d() {
  return adaptive_pool_kind(3, PoolOf::maximum);
}

}  // namespace tieout::layers
