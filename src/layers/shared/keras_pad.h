// Padding an image's spatial axes in Keras, in any of PyTorch's modes.
#pragma once

#include <string>

#include "layers/shared/spatial.h"

namespace tieout {

// Appends the nodes; the current input has its channels last. Modes: "zeros" or "constant" (filled with
// `value`), "reflect", "replicate", "circular", "symmetric". Zeros are a ZeroPadding (or Cropping) layer, the
// others keras.ops Pad, or Take along each axis, which needs the axis' size: refused where it is not known.
// `helper` as in Lowerer::add.
void add_keras_padding(Lowerer& lowerer, const Paddings& paddings, const std::string& mode, double value,
                       const std::string& helper = "pad");

}  // namespace tieout
