#include "layers/shared/resample.h"

namespace tieout::layers {

LayerKind resample3d() {
  return resample_kind(3);
}

}  // namespace tieout::layers
