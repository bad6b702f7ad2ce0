// The innermost loop of a product.
#pragma once

#include <cstdint>
#include <vector>

namespace tieout {

// c (rows x columns, its rows `stride` apart) = or += a x b: a holds `rows` numbers for each k < depth, b
// holds `columns`.
struct ProductKernel {
  std::int64_t rows;
  std::int64_t columns;
  void (*run)(std::int64_t depth, const double* a, const double* b, double* c, std::int64_t stride, bool add);
};

// Those that this processor runs, the fastest first; the last one is plain and runs on every processor.
const std::vector<ProductKernel>& product_kernels();

}  // namespace tieout
