#include "layers/shared/pool.h"

namespace tieout::layers {

LayerKind avg_pool1d() {
  return pool_kind(1, PoolOf::mean);
}

}  // namespace tieout::layers
