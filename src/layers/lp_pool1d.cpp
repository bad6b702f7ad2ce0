#include "layers/shared/lp_pool.h"

namespace tieout::layers {

LayerKind lp_pool1d() {
  return lp_pool_kind(1);
}

}  // namespace tieout::layers
