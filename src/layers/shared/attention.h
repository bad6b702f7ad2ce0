// The parts of multi_head_attention that are not about the frameworks' words: arithmetic, recognition,
// mistakes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Inputs query (n t e), key (n s e), value (n s e), each with its own e; see multi_head_attention.cpp.
std::vector<Array> compute_attention(const Evaluation& evaluation);
double attention_fan_in(const Layer& layer);
std::optional<FrameworkNode> recognise_attention(Framework framework,
                                                 const std::vector<std::pair<std::string, Shape>>& tensors);
std::vector<Mistake> attention_mistakes();

}  // namespace tieout
