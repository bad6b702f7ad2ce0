#include "layers/shared/unfold.h"

namespace tieout::layers {

LayerKind fold() {
  return unfolding_kind(Unfolding::fold);
}

}  // namespace tieout::layers
