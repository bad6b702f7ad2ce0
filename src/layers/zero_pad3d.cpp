#include "layers/shared/zero_pad.h"

namespace tieout::layers {

LayerKind zero_pad3d() {
  return zero_pad_kind(3);
}

}  // namespace tieout::layers
