#include "layers/shared/adaptive_pool.h"

namespace tieout::layers {

LayerKind adaptive_avg_pool1d() {
  return adaptive_pool_kind(1, PoolOf::mean);
}

}  // namespace tieout::layers
