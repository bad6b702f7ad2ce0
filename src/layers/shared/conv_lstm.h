// What the kind conv_lstm is made of beside reading and writing; see src/layers/conv_lstm.cpp.
#pragma once

#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Where n t c s... lie in a value, or, without time, n c s...
std::vector<int> conv_lstm_order(std::size_t rank, bool channels_last, bool with_time);
// The same for the states that the layer gives: the record arranges output 0 only, so that further outputs
// are made in the framework's own order.
std::vector<int> conv_lstm_state_order(const Layer& layer);

std::vector<Array> compute_conv_lstm(const Evaluation& evaluation);

// The Python source of tieout.ConvLSTM.
std::string conv_lstm_definition();

}  // namespace tieout
