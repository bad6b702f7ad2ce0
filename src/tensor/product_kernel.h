// The innermost loop of a product.
#pragma once

#include <cstdint>

namespace tieout {

constexpr std::int64_t kernel_rows = 6;
constexpr std::int64_t kernel_columns = 8;

// c (6 x 8, rows `stride` apart) = or += a x b: a holds 6 numbers for each k, b holds 8.
using ProductKernel = void (*)(std::int64_t depth, const double* a, const double* b, double* c,
                               std::int64_t stride, bool add);

// The fastest one that this processor runs.
ProductKernel product_kernel();
// The one that every processor runs.
void product_kernel_plain(std::int64_t depth, const double* a, const double* b, double* c,
                          std::int64_t stride, bool add);

}  // namespace tieout
