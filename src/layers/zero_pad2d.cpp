#include "layers/shared/zero_pad.h"

namespace tieout::layers {

LayerKind zero_pad2d() {
  return zero_pad_kind(2);
}

}  // namespace tieout::layers
