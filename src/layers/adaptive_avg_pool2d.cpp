#include "layers/shared/adaptive_pool.h"

namespace tieout::layers {

LayerKind adaptive_avg_pool2d() {
  return adaptive_pool_kind(2, PoolOf::mean);
}

}  // namespace tieout::layers
