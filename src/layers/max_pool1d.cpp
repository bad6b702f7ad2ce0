#include "layers/shared/pool.h"

namespace tieout::layers {

LayerKind max_pool1d() {
  return pool_kind(1, PoolOf::maximum);
}

}  // namespace tieout::layers
