// Whole numbers below a number of tokens as vectors, as Keras' preprocessing layers end with.
#pragma once

#include <string>

#include "layers/layer_kind.h"

namespace tieout {

// Adds the layer of the kind category_encoding for the output_mode "one_hot", "multi_hot" ("binary" in old
// files) or "count", on input 0 and, where `weights` is its number, an input of weights; nothing for "int".
// Refuses what Keras computes along another axis than its shapes say.
void add_category_encoding(Lifter& lifter, const std::string& output_mode, std::int64_t tokens,
                           std::size_t weights = 0);

}  // namespace tieout
