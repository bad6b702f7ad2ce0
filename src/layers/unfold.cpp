#include "layers/shared/unfold.h"

namespace tieout::layers {

LayerKind unfold() {
  return unfolding_kind(Unfolding::unfold);
}

}  // namespace tieout::layers
