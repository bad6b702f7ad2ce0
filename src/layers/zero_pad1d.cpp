#include "layers/shared/zero_pad.h"

namespace tieout::layers {

LayerKind zero_pad1d() {
  return zero_pad_kind(1);
}

}  // namespace tieout::layers
