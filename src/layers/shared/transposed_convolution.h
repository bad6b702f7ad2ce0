// Transposed convolution over 1 to 3 spatial axes; the kinds conv_transpose1d, 2d and 3d are made of this.
//
//   x: n c s...   kernel: i o s... (i = c)   bias: o   ->   y: n o s'...
//
// Each cell of x, times the kernel, is added to y at `strides` times its place, one cell of the kernel every
// `dilation` cells. That is a row of (n - 1) stride + (k - 1) dilation + 1 cells; `padding` [low, high] of
// them are cut off, and negative ones added, which hold the bias alone.
//
// Settings of the layer: kernel, strides, dilation (one number for each spatial axis), padding, filters.
#pragma once

#include "layers/layer_kind.h"
#include "layers/shared/spatial.h"

namespace tieout {

LayerKind transposed_convolution_kind(std::size_t rank);

// One axis of a transposed convolution in Keras' words. `output_padding` is absent where Keras says None.
struct KerasTransposed {
  bool same = false;
  std::optional<std::int64_t> output_padding;
};

// What it cuts off of the whole row. TensorFlow takes the gradient of the convolution that has y as its
// input: https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/common/backend_utils.py for the
// size, the "same" padding of that convolution for the place.
Padding cells_cut(const KerasTransposed& given, std::int64_t kernel, std::int64_t stride,
                  std::int64_t dilation);

// A grouped one of PyTorch becomes a layer for each group, `take` before and `concatenate` after them.
void lift_transposed_convolution(Lifter& lifter, std::size_t rank);

void lower_transposed_to_torch(Lowerer& lowerer, std::size_t rank);
void lower_transposed_to_keras(Lowerer& lowerer, std::size_t rank);

std::vector<Array> compute_transposed_convolution(const Evaluation& evaluation);

std::vector<Case> transposed_convolution_cases(std::size_t rank);
std::vector<Mistake> transposed_convolution_mistakes(std::size_t rank);

}  // namespace tieout
