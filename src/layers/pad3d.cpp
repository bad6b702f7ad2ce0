#include "layers/shared/padding.h"

namespace tieout::layers {

LayerKind pad3d() {
  return pad_kind(3);
}

}  // namespace tieout::layers
