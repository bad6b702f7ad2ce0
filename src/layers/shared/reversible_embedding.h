// Keras' ReversibleEmbedding: one table for the way in (kind embedding) and the way out (reverse_embedding).
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

// PyTorch's class for it; both ways are calls of one module.
inline constexpr const char* own_reversible = "tieout.ReversibleEmbedding";

// Writes one of its calls. Settings of the layer: rows, width, tied, soft_cap (null: none).
void write_reversible(Lowerer& lowerer, bool reverse);

}  // namespace tieout
