// How the two frameworks say a pooling. See pool.h for the settings.
#pragma once

#include "layers/record/lowerer.h"
#include "layers/shared/pool.h"

namespace tieout {

// Keras: valid or same where that is the same; ZeroPadding in front where zeros count in the mean; otherwise
// "same" with stride 1, a cropping, and a pooling of one cell that takes every s-th. Refuses what none of
// these says.
void write_keras_pool(Lowerer& lowerer, std::size_t rank, PoolOf what);

// PyTorch: symmetric padding and ceil_mode; surplus outputs are cropped by a negative ZeroPad.
void write_torch_pool(Lowerer& lowerer, std::size_t rank, PoolOf what);

}  // namespace tieout
