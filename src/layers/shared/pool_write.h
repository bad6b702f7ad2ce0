// How the two frameworks say a pooling. See pool.h for the settings.
#pragma once

#include "layers/record/lowerer.h"
#include "layers/shared/pool.h"

namespace tieout {

// One axis, in the terms that matter once the padding holds nothing: where the first window begins and how
// many there are.
struct PoolRun {
  std::int64_t size = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t low = 0;
  std::int64_t count = 0;
};

// Keras: valid or same where that is the same; ZeroPadding in front where zeros count in the mean; "same"
// with stride 1, a cropping, and a pooling of one cell that takes every s-th; otherwise by windows.
void write_keras_pool(Lowerer& lowerer, std::size_t rank, PoolOf what);

// Any windows: the cells of each are laid out with keras.ops Take, and pooled with stride = window, or summed
// with constant weights.
void write_keras_windows(Lowerer& lowerer, const std::vector<PoolRun>& runs, PoolOf what);

// PyTorch: symmetric padding and ceil_mode; a class of our own for what is TensorFlow's "same" otherwise;
// surplus outputs are cropped by a negative ZeroPad.
void write_torch_pool(Lowerer& lowerer, std::size_t rank, PoolOf what);

// The class of our own, "tieout.SameMaxPool2d": reckons TensorFlow's "same" padding when it runs.
std::string same_pool_class(std::size_t rank, PoolOf what);
void write_same_pool(Lowerer& lowerer, std::size_t rank, PoolOf what);

}  // namespace tieout
