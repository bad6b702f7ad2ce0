#include "tensor/product.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tensor/product_kernel.h"

using namespace tieout;

namespace {

// Small whole numbers, whose products are exact in whatever order they are added.
std::vector<double> numbers(std::int64_t count, std::int64_t step) {
  std::vector<double> made;
  for (std::int64_t i = 0; i < count; ++i) made.push_back(static_cast<double>(i * step % 17 - 8));
  return made;
}

void check_product(std::int64_t rows, std::int64_t columns, std::int64_t depth, std::int64_t step) {
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(depth);
  const auto left = numbers(rows * depth, 5);
  const auto right = numbers(columns * depth, 7);
  std::vector<double> product(static_cast<std::size_t>(rows * columns), -1.0);
  multiply(matrix_lines(left.data(), rows, depth), matrix_lines(right.data(), columns, depth), depth, step,
           [&](const ProductTile& tile) {
             for (std::int64_t i = 0; i < tile.rows; ++i) {
               for (std::int64_t j = 0; j < tile.columns; ++j) {
                 product[static_cast<std::size_t>((tile.row + i) * columns + tile.column + j)] =
                     tile.values[i * tile.stride + j];
               }
             }
           });
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < depth; ++k)
        sum += left[static_cast<std::size_t>(i * depth + k)] * right[static_cast<std::size_t>(j * depth + k)];
      if (product[static_cast<std::size_t>(i * columns + j)] != sum) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("products of any sizes, also those that are no multiple of a tile or a part") {
  for (const std::int64_t rows : {1, 5, 6, 12, 73, 150}) {
    for (const std::int64_t columns : {1, 8, 9, 16, 270}) {
      for (const std::int64_t depth : {1, 9, 256, 300}) check_product(rows, columns, depth, 1);
    }
  }
  check_product(80, 20, 9 * 61, 9);
  check_product(80, 20, 2 * 343, 343);
  check_product(3, 4, 0, 1);
  check_product(0, 4, 5, 1);
}

TEST_CASE("every kernel that this processor runs multiplies, and adds to what is there") {
  constexpr std::int64_t depth = 50;
  for (const ProductKernel& kernel : product_kernels()) {
    CAPTURE(kernel.rows);
    CAPTURE(kernel.columns);
    const auto a = numbers(kernel.rows * depth, 5);
    const auto b = numbers(kernel.columns * depth, 7);
    const std::int64_t stride = kernel.columns + 2;
    std::vector<double> c(static_cast<std::size_t>(kernel.rows * stride), 1.0);
    auto wanted = c;
    for (const bool add : {true, false}) {
      for (std::int64_t i = 0; i < kernel.rows; ++i) {
        for (std::int64_t j = 0; j < kernel.columns; ++j) {
          double sum = add ? 1.0 : 0.0;
          for (std::int64_t k = 0; k < depth; ++k) {
            sum += a[static_cast<std::size_t>(k * kernel.rows + i)] *
                   b[static_cast<std::size_t>(k * kernel.columns + j)];
          }
          wanted[static_cast<std::size_t>(i * stride + j)] = sum;
        }
      }
      kernel.run(depth, a.data(), b.data(), c.data(), stride, add);
      CHECK(c == wanted);
    }
  }
}
