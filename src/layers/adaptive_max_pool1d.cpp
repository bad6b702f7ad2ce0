#include "layers/shared/adaptive_pool.h"

namespace tieout::layers {

LayerKind adaptive_max_pool1d() {
  return adaptive_pool_kind(1, PoolOf::maximum);
}

}  // namespace tieout::layers
