#include "layers/shared/lp_pool.h"

namespace tieout::layers {

LayerKind lp_pool3d() {
  return lp_pool_kind(3);
}

}  // namespace tieout::layers
