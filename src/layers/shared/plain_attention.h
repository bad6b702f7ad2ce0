// The parts of the kind attention that are not about reading: see layers/attention.cpp.
#pragma once

#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// PyTorch's class for what its function has not; the source is in plain_attention_write.cpp.
inline constexpr const char* own_plain_attention = "tieout.Attention";
inline constexpr const char* torch_attention = "torch.nn.functional.scaled_dot_product_attention";

std::vector<Array> compute_plain_attention(const Evaluation& evaluation);
void write_plain_attention(Lowerer& lowerer);
std::vector<Case> plain_attention_cases();

}  // namespace tieout
