#include "layers/shared/pool.h"

namespace tieout::layers {

LayerKind max_pool3d() {
  return pool_kind(3, PoolOf::maximum);
}

}  // namespace tieout::layers
