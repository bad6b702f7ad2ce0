#include "layers/shared/resample.h"

namespace tieout::layers {

LayerKind resample2d() {
  return resample_kind(2);
}

}  // namespace tieout::layers
