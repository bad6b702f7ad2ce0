#include "tensor/product.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "tensor/product_kernel.h"

// The usual way (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008): a panel
// of 8 or 16 columns stays in the first cache (256 x 16 doubles: 32 KiB) while the packed rows of a tile pass
// it from the second one.

namespace tieout {

namespace {

constexpr std::int64_t part_depth = 256;
constexpr std::int64_t tile_rows = 72;
constexpr std::int64_t tile_columns = 256;
constexpr std::int64_t most_packed = std::int64_t{32} << 20 >> 3;  // doubles
// Where several tiles share rows, they are packed once, unless that takes more memory than it saves time.
constexpr std::int64_t most_packed_left = std::int64_t{8} << 20 >> 3;

std::int64_t pieces(std::int64_t whole, std::int64_t piece) {
  return (whole + piece - 1) / piece;
}

// The length of `count` even pieces of `whole`, as a multiple of `unit`.
std::int64_t even_piece(std::int64_t whole, std::int64_t count, std::int64_t unit) {
  return pieces(pieces(whole, std::max<std::int64_t>(count, 1)), unit) * unit;
}

double* scratch(std::vector<double>& memory, std::int64_t size) {
  if (memory.size() < static_cast<std::size_t>(size)) memory.resize(static_cast<std::size_t>(size));
  return memory.data();
}

// A cache line of each matrix line at a time, which is read once: with strides of a power of two they would
// throw each other out of the first cache.
void interleave(const double* corner, std::int64_t stride, std::int64_t width, std::int64_t depth,
                double* into) {
  constexpr std::int64_t block = 8;
  for (std::int64_t k = 0; k < depth; k += block, into += block * width) {
    const std::int64_t count = std::min(block, depth - k);
    for (std::int64_t j = 0; j < width; ++j) {
      const double* const line = corner + j * stride + k;
      for (std::int64_t i = 0; i < count; ++i) into[i * width + j] = line[i];
    }
  }
}

// One side, packed as a whole: panels of `width` lines, each in parts of the depth.
const double* pack_whole(const Lines& lines, std::int64_t first_line, std::int64_t count, std::int64_t width,
                         std::int64_t depth, std::int64_t part, std::vector<double>& memory) {
  const std::int64_t panels = pieces(count, width);
  double* const packed = scratch(memory, panels * width * depth);
  parallel_for(panels, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      for (std::int64_t from = 0; from < depth; from += part) {
        lines.pack(first_line + j * width, width, from, std::min(part, depth - from),
                   packed + j * width * depth + from * width);
      }
    }
  });
  return packed;
}

struct Product {
  const Lines& left;
  const Lines& right;
  const ProductKernel& kernel;
  std::int64_t depth;
  std::int64_t part;           // of the depth
  const double* packed_left;   // null: each tile packs what it needs
  const double* packed_right;  // from column `first_column` on; null: a tile packs what it needs
  std::int64_t first_column;
  std::int64_t columns;  // from there on
  std::int64_t tile_height;
  std::int64_t tile_width;
  const std::function<void(const ProductTile&)>& store;

  const double* right_panel(std::int64_t column, std::int64_t from, std::int64_t length) const {
    if (packed_right != nullptr) return packed_right + column * depth + from * kernel.columns;
    thread_local std::vector<double> packed;
    double* const b = scratch(packed, kernel.columns * part);
    right.pack(first_column + column, kernel.columns, from, length, b);
    return b;
  }

  // The panels of a tile from `row` on, kernel.rows * (depth or, packed for this tile alone, part) apart.
  const double* left_panels(std::int64_t row, std::int64_t panels, std::int64_t from,
                            std::int64_t length) const {
    if (packed_left != nullptr) return packed_left + row * depth + from * kernel.rows;
    thread_local std::vector<double> packed;
    double* const a = scratch(packed, panels * kernel.rows * part);
    for (std::int64_t i = 0; i < panels; ++i)
      left.pack(row + i * kernel.rows, kernel.rows, from, length, a + i * kernel.rows * part);
    return a;
  }

  void tile(std::int64_t row, std::int64_t column) const {
    thread_local std::vector<double> sums;
    const std::int64_t rows = std::min(tile_height, left.lines - row);
    const std::int64_t width = std::min(tile_width, columns - column);
    const std::int64_t row_panels = pieces(rows, kernel.rows);
    const std::int64_t column_panels = pieces(width, kernel.columns);
    const std::int64_t stride = column_panels * kernel.columns;
    const std::int64_t panel_step = kernel.rows * (packed_left != nullptr ? depth : part);
    double* const c = scratch(sums, row_panels * kernel.rows * stride);
    if (depth == 0) std::fill_n(c, row_panels * kernel.rows * stride, 0.0);
    for (std::int64_t from = 0; from < depth; from += part) {
      const std::int64_t length = std::min(part, depth - from);
      const double* const a = left_panels(row, row_panels, from, length);
      for (std::int64_t j = 0; j < column_panels; ++j) {
        const double* const b = right_panel(column + j * kernel.columns, from, length);
        double* const corner = c + j * kernel.columns;
        for (std::int64_t i = 0; i < row_panels; ++i)
          kernel.run(length, a + i * panel_step, b, corner + i * kernel.rows * stride, stride, from > 0);
      }
    }
    store({row, rows, first_column + column, width, c, stride});
  }
};

}  // namespace

Lines matrix_lines(const double* data, std::int64_t lines, std::int64_t stride) {
  return {lines,
          [=](std::int64_t first, std::int64_t width, std::int64_t from, std::int64_t depth, double* into) {
            const double* corner = data + first * stride + from;
            if (first + width <= lines) return interleave(corner, stride, width, depth, into);
            for (std::int64_t j = 0; j < width; ++j) {
              const bool exists = first + j < lines;
              for (std::int64_t k = 0; k < depth; ++k)
                into[k * width + j] = exists ? corner[j * stride + k] : 0.0;
            }
          }};
}

void multiply(const Lines& left, const Lines& right, std::int64_t depth, std::int64_t step,
              const std::function<void(const ProductTile&)>& store) {
  if (left.lines <= 0 || right.lines <= 0) return;
  const ProductKernel& kernel = product_kernels().front();
  // Even tiles, and enough of them for all threads: narrower ones where there are few rows.
  const std::int64_t height = even_piece(left.lines, pieces(left.lines, tile_rows), kernel.rows);
  const std::int64_t high = pieces(left.lines, height);
  const bool packs = high > 1;  // a single tile needs each panel once
  const std::int64_t part = std::max(part_depth / step, std::int64_t{1}) * step;
  const std::int64_t most_columns =
      packs ? std::max(most_packed / std::max<std::int64_t>(depth, 1) / tile_columns * tile_columns,
                       kernel.columns)
            : right.lines;
  std::vector<double> left_memory;
  std::vector<double> right_memory;
  const double* packed_left = nullptr;
  for (std::int64_t column = 0; column < right.lines; column += most_columns) {
    const std::int64_t columns = std::min(most_columns, right.lines - column);
    const double* const packed_right =
        packs ? pack_whole(right, column, columns, kernel.columns, depth, part, right_memory) : nullptr;
    const std::int64_t wanted = std::max(pieces(columns, tile_columns), pieces(4 * thread_count(), high));
    const std::int64_t width =
        std::max(even_piece(columns, wanted, kernel.columns), std::min(4 * kernel.columns, columns));
    const std::int64_t wide = pieces(columns, width);
    if (packed_left == nullptr && wide > 1 && left.lines * depth <= most_packed_left)
      packed_left = pack_whole(left, 0, left.lines, kernel.rows, depth, part, left_memory);
    const Product product{left,         right,  kernel,  depth,  part,  packed_left,
                          packed_right, column, columns, height, width, store};
    parallel_for(high * wide, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t k = first; k < last; ++k) product.tile(k / wide * height, k % wide * width);
    });
  }
}

}  // namespace tieout
