#include "layers/shared/pixel_shuffle.h"

namespace tieout::layers {

LayerKind pixel_shuffle() {
  return pixel_shuffle_kind(Shuffle::to_space);
}

}  // namespace tieout::layers
