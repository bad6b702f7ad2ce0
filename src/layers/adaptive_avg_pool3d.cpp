#include "layers/shared/adaptive_pool.h"

namespace tieout::layers {

LayerKind adaptive_avg_pool3d() {
  return adaptive_pool_kind(3, PoolOf::mean);
}

}  // namespace tieout::layers
