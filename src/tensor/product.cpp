#include "tensor/product.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "tensor/product_kernel.h"

// The usual way (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008): a panel
// of 8 columns stays in the first cache (256 x 8 doubles: 16 KiB) while the packed rows of a tile pass it
// from the second one.

namespace tieout {

namespace {

constexpr std::int64_t part_depth = 256;
constexpr std::int64_t tile_rows = 72;
constexpr std::int64_t tile_columns = 256;
constexpr std::int64_t most_packed = std::int64_t{32} << 20 >> 3;  // doubles

static_assert(tile_rows % kernel_rows == 0 && tile_columns % kernel_columns == 0);

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

// All lines at once: each is read in one go, and the result written in one.
template <std::int64_t width>
void interleave(const double* corner, std::int64_t stride, std::int64_t depth, double* into) {
  for (std::int64_t k = 0; k < depth; ++k, into += width) {
    for (std::int64_t j = 0; j < width; ++j) into[j] = corner[j * stride + k];
  }
}

struct Product {
  const Lines& left;
  const Lines& right;
  std::int64_t depth;
  std::int64_t part;           // of the depth
  const double* packed_right;  // from column `first_column` on; null: a tile packs what it needs
  std::int64_t first_column;
  std::int64_t columns;  // of the packed part
  std::int64_t tile_height;
  std::int64_t tile_width;
  const std::function<void(const ProductTile&)>& store;

  const double* panel(std::int64_t column, std::int64_t from, std::int64_t length) const {
    if (packed_right != nullptr) return packed_right + column * depth + from * kernel_columns;
    thread_local std::vector<double> packed;
    double* const b = scratch(packed, kernel_columns * part);
    right.pack(first_column + column, kernel_columns, from, length, b);
    return b;
  }

  void tile(std::int64_t row, std::int64_t column) const {
    static const ProductKernel kernel = product_kernel();
    thread_local std::vector<double> packed;
    thread_local std::vector<double> sums;
    const std::int64_t rows = std::min(tile_height, left.lines - row);
    const std::int64_t width = std::min(tile_width, columns - column);
    const std::int64_t row_panels = pieces(rows, kernel_rows);
    const std::int64_t column_panels = pieces(width, kernel_columns);
    const std::int64_t stride = column_panels * kernel_columns;
    double* const a = scratch(packed, row_panels * kernel_rows * part);
    double* const c = scratch(sums, row_panels * kernel_rows * stride);
    if (depth == 0) std::fill_n(c, row_panels * kernel_rows * stride, 0.0);
    for (std::int64_t from = 0; from < depth; from += part) {
      const std::int64_t length = std::min(part, depth - from);
      for (std::int64_t i = 0; i < row_panels; ++i) {
        left.pack(row + i * kernel_rows, kernel_rows, from, length, a + i * kernel_rows * length);
      }
      for (std::int64_t j = 0; j < column_panels; ++j) {
        const double* b = panel(column + j * kernel_columns, from, length);
        for (std::int64_t i = 0; i < row_panels; ++i) {
          kernel(length, a + i * kernel_rows * length, b, c + i * kernel_rows * stride + j * kernel_columns,
                 stride, from > 0);
        }
      }
    }
    store({row, rows, first_column + column, width, c, stride});
  }
};

const double* pack_columns(const Lines& right, std::int64_t column, std::int64_t columns, std::int64_t depth,
                           std::int64_t part, std::vector<double>& memory) {
  const std::int64_t panels = pieces(columns, kernel_columns);
  double* const b = scratch(memory, panels * kernel_columns * depth);
  parallel_for(panels, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      for (std::int64_t from = 0; from < depth; from += part) {
        right.pack(column + j * kernel_columns, kernel_columns, from, std::min(part, depth - from),
                   b + j * kernel_columns * depth + from * kernel_columns);
      }
    }
  });
  return b;
}

}  // namespace

Lines matrix_lines(const double* data, std::int64_t lines, std::int64_t stride) {
  return {lines,
          [=](std::int64_t first, std::int64_t width, std::int64_t from, std::int64_t depth, double* into) {
            const double* corner = data + first * stride + from;
            if (width == kernel_columns && first + width <= lines) {
              interleave<kernel_columns>(corner, stride, depth, into);
            } else if (width == kernel_rows && first + width <= lines) {
              interleave<kernel_rows>(corner, stride, depth, into);
            } else {
              for (std::int64_t j = 0; j < width; ++j) {
                const bool exists = first + j < lines;
                for (std::int64_t k = 0; k < depth; ++k)
                  into[k * width + j] = exists ? corner[j * stride + k] : 0.0;
              }
            }
          }};
}

void multiply(const Lines& left, const Lines& right, std::int64_t depth, std::int64_t step,
              const std::function<void(const ProductTile&)>& store) {
  if (left.lines <= 0 || right.lines <= 0) return;
  // Even tiles, and enough of them for all threads: narrower ones where there are few rows.
  const std::int64_t height = even_piece(left.lines, pieces(left.lines, tile_rows), kernel_rows);
  const std::int64_t high = pieces(left.lines, height);
  const bool packs = high > 1;  // a single tile needs each panel once
  const std::int64_t part = std::max(part_depth / step, std::int64_t{1}) * step;
  const std::int64_t most_columns =
      packs ? std::max(most_packed / std::max<std::int64_t>(depth, 1) / tile_columns * tile_columns,
                       kernel_columns)
            : right.lines;
  std::vector<double> packed;
  for (std::int64_t column = 0; column < right.lines; column += most_columns) {
    const std::int64_t columns = std::min(most_columns, right.lines - column);
    const double* const b = packs ? pack_columns(right, column, columns, depth, part, packed) : nullptr;
    const std::int64_t wanted = std::max(pieces(columns, tile_columns), pieces(4 * thread_count(), high));
    const std::int64_t width =
        std::max(even_piece(columns, wanted, kernel_columns), std::min(4 * kernel_columns, columns));
    const std::int64_t wide = pieces(columns, width);
    const Product product{left, right, depth, part, b, column, columns, height, width, store};
    parallel_for(high * wide, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t k = first; k < last; ++k) product.tile(k / wide * height, k % wide * width);
    });
  }
}

}  // namespace tieout
