#include "layers/shared/resample.h"

namespace tieout::layers {

LayerKind resample1d() {
  return resample_kind(1);
}

}  // namespace tieout::layers
