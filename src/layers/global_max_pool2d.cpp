#include "layers/shared/global_pool.h"

namespace tieout::layers {

LayerKind global_max_pool2d() {
  return global_pool_kind(2, PoolOf::maximum);
}

}  // namespace tieout::layers
