#include "layers/shared/global_pool.h"

namespace tieout::layers {

LayerKind global_avg_pool1d() {
  return global_pool_kind(1, PoolOf::mean);
}

}  // namespace tieout::layers
