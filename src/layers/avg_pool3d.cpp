#include "layers/shared/pool.h"

namespace tieout::layers {

LayerKind avg_pool3d() {
  return pool_kind(3, PoolOf::mean);
}

}  // namespace tieout::layers
