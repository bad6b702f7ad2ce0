// Inputs of the form n c ...: where the channels are, and what the axes are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Where the canonical axes n c ... lie in a value whose channels are axis `channel`.
std::vector<int> channel_order(std::size_t rank, std::int64_t channel);

// "n c", "n c l", "n c h w", "n c d h w"; empty for other ranks.
std::vector<std::string> channel_names(std::size_t rank);

// Says that input 0 has its channels on the axis `channel` (which may count from the end), and gives the
// order of its canonical axes n c ...; empty when the rank is not known. `required`: the rank that PyTorch's
// class takes, 0 when it takes several.
std::vector<int> place_channels(Lifter& lifter, std::int64_t channel, std::size_t required = 0);

// The need of a kind that PyTorch has with the channels on axis 1 only.
LayoutNeed channels_first_in_torch(const Layer& layer, Framework target);

}  // namespace tieout
