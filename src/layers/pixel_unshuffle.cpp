#include "layers/shared/pixel_shuffle.h"

namespace tieout::layers {

LayerKind pixel_unshuffle() {
  return pixel_shuffle_kind(Shuffle::to_torch_depth);
}

}  // namespace tieout::layers
