// CuDNNLSTM and CuDNNGRU of Keras 2, whose weights lie in cuDNN's order. They are read as the LSTM and the
// GRU(reset_after=True) that Keras itself loads them into (preprocess_weights_for_loading in
// keras/saving/legacy/hdf5_format.py).
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::keras {

struct CudnnLayer {
  std::string name;
  std::int64_t gates = 4;  // 4: an LSTM, 3: a GRU
};

// Replaces the classes in the architecture, alone or in a Bidirectional, and says which layers they were.
std::vector<CudnnLayer> replace_cudnn_classes(Json& config);

// Replaces the layer's kernels and biases, given as kernel, recurrent_kernel, bias for each direction.
// Error(malformed) when the shapes are not those of such a layer.
void rearrange_cudnn_weights(const CudnnLayer& layer, const std::vector<NodeParameter>& parameters,
                             FrameworkModel& model);

}  // namespace tieout::keras
