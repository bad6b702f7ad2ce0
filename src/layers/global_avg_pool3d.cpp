#include "layers/shared/global_pool.h"

namespace tieout::layers {

LayerKind global_avg_pool3d() {
  return global_pool_kind(3, PoolOf::mean);
}

}  // namespace tieout::layers
