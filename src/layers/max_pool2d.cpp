#include "layers/shared/pool.h"

namespace tieout::layers {

LayerKind max_pool2d() {
  return pool_kind(2, PoolOf::maximum);
}

}  // namespace tieout::layers
