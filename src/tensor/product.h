// Products of large matrices, at the speed of the machine.
#pragma once

#include <cstdint>
#include <functional>

namespace tieout {

// Where one side of a product comes from: `lines` rows of the left matrix, or columns of the right one, each
// `depth` long. They are copied ("packed") piece by piece, so that a convolution's matrix never exists as a
// whole.
struct Lines {
  std::int64_t lines = 0;
  // Writes element k of line first + j, for j < width and k in [from, from + depth), to
  // into[(k - from) * width + j]; zeros for lines that do not exist. Called from several threads.
  std::function<void(std::int64_t first, std::int64_t width, std::int64_t from, std::int64_t depth,
                     double* into)>
      pack;
};

// The lines of a row-major matrix: element k of line i is data[i * stride + k].
Lines matrix_lines(const double* data, std::int64_t lines, std::int64_t stride);

// A part of the product: element (row + i, column + j) is values[i * stride + j].
struct ProductTile {
  std::int64_t row;
  std::int64_t rows;
  std::int64_t column;
  std::int64_t columns;
  const double* values;
  std::int64_t stride;
};

// left x right, handed out in tiles, each once and from several threads. Only `right` is packed as a whole
// (in parts of at most 32 MiB or 8 columns): it should be the smaller one. Sums run over k in parts; `step`
// divides `depth` and the length of each part.
void multiply(const Lines& left, const Lines& right, std::int64_t depth, std::int64_t step,
              const std::function<void(const ProductTile&)>& store);

}  // namespace tieout
