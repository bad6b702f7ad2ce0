#include "layers/shared/pool.h"

namespace tieout::layers {

LayerKind avg_pool2d() {
  return pool_kind(2, PoolOf::mean);
}

}  // namespace tieout::layers
