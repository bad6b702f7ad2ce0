#include "layers/shared/padding.h"

namespace tieout::layers {

LayerKind pad1d() {
  return pad_kind(1);
}

}  // namespace tieout::layers
