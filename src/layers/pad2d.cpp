#include "layers/shared/padding.h"

namespace tieout::layers {

LayerKind pad2d() {
  return pad_kind(2);
}

}  // namespace tieout::layers
