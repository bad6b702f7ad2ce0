#include "layers/shared/lp_pool.h"

namespace tieout::layers {

LayerKind lp_pool2d() {
  return lp_pool_kind(2);
}

}  // namespace tieout::layers
