// Resampling one axis as a sum of few input cells for each output cell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/record/lowerer.h"
#include "tensor/array.h"

namespace tieout {

// How cells between the input's are made.
//   "nearest"        the cell at floor(i n / out)               torch "nearest"
//   "nearest-exact"  the cell at floor((i + 0.5) n / out)       torch "nearest-exact", Keras "nearest"
//   "linear"         of the two neighbours                      torch "linear", "bilinear", ...; Keras
//   "bilinear" "cubic"          of four, a = -0.75, the border repeated    torch "bicubic" "keys" of four, a
//   = -0.5, the border left out     Keras "bicubic" "lanczos3", "lanczos5" Keras
struct Sampling {
  std::string mode;
  bool align_corners = false;  // the first and the last cells' centres coincide, instead of the borders
  bool antialias = false;      // the kernel grows with the ratio when there are fewer cells than before
};

struct Tap {
  std::int64_t from = 0;
  double weight = 1;
};
using Taps = std::vector<std::vector<Tap>>;  // of each output cell

// `ratio`: input cells an output cell is wide; size / out unless a scale factor was given.
Taps resampling(const Sampling& sampling, std::int64_t size, std::int64_t out, double ratio);

// Whether "nearest" and "nearest-exact" choose the same cells in float32 as in exact arithmetic: rounding
// makes the frameworks, and PyTorch's own types, choose others for a few sizes. True for other modes.
bool rounds_alike(const Sampling& sampling, std::int64_t size, std::int64_t out, double ratio);

Array apply_taps(const Array& x, std::size_t axis, const Taps& taps);

// The same along an axis of the current input, as Keras operations: Take where each cell is one of the
// input's, otherwise Take of all taps and an Einsum with the weights. Keeps the axes' names.
void add_keras_taps(Lowerer& lowerer, std::size_t axis, const Taps& taps, const std::string& helper);

// A Keras Einsum that sums over the axis behind `axis`: weights[a][t] times the cell t of a.
void add_keras_weighted_sum(Lowerer& lowerer, std::size_t axis, const Json& weights,
                            const std::string& helper);
// Its equation, "abcd,bc->abd", which torch.einsum takes as well. `rank`: the input's.
std::string weighted_sum_equation(std::size_t rank, std::size_t axis);

// A Keras Take of these cells along an axis of the current input. `indices`: a list, or a list of lists.
void add_keras_take(Lowerer& lowerer, std::size_t axis, const Json& indices, const std::string& helper);

}  // namespace tieout
