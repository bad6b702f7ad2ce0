// Names of variables in .h5 files.
#pragma once

#include <string>

namespace tieout::keras {

// What the variable is called inside its layer: "sequential/conv2d/kernel" and "conv2d/kernel:0" -> "kernel",
// "lstm/lstm_cell/bias:0" -> "lstm_cell/bias", "conv1_W:0" (Keras 1) -> "W", for the layers conv2d, lstm,
// conv1.
std::string variable_name(const std::string& weight_name, const std::string& layer);

}  // namespace tieout::keras
