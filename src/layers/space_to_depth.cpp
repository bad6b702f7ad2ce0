#include "layers/shared/pixel_shuffle.h"

namespace tieout::layers {

LayerKind space_to_depth() {
  return pixel_shuffle_kind(Shuffle::to_keras_depth);
}

}  // namespace tieout::layers
