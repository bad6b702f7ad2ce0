// Keras' einsum with one constant argument, as resampling writes it (shared/taps.h).
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

// Reads keras.ops.einsum(subscripts, x, weights) as a layer of the kind weighted_sum; refuses other
// constants.
void lift_weighted_sum(Lifter& lifter);

}  // namespace tieout
