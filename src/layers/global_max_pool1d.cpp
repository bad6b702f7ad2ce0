#include "layers/shared/global_pool.h"

namespace tieout::layers {

LayerKind global_max_pool1d() {
  return global_pool_kind(1, PoolOf::maximum);
}

}  // namespace tieout::layers
