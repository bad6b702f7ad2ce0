// The parts of multi_head_attention that are not about reading: arithmetic, writing, recognition, mistakes,
// cases. See multi_head_attention.cpp for shapes and parameters.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// PyTorch's class for what nn.MultiheadAttention has not; its source is in attention_write.cpp.
inline constexpr const char* own_attention = "tieout.MultiHeadAttention";

// Inputs query (n t e), key (n s e), value (n s e), each with its own e, and perhaps a mask (n t s).
std::vector<Array> compute_attention(const Evaluation& evaluation);
double attention_fan_in(const Layer& layer);
void write_attention(Lowerer& lowerer);
std::optional<FrameworkNode> recognise_attention(Framework framework,
                                                 const std::vector<std::pair<std::string, Shape>>& tensors);
std::vector<Mistake> attention_mistakes();
std::vector<Case> attention_cases();

}  // namespace tieout
