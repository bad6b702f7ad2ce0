#include "tensor/product_kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TIEOUT_AVX2 1
#include <immintrin.h>
#endif

namespace tieout {

void product_kernel_plain(std::int64_t depth, const double* a, const double* b, double* c,
                          std::int64_t stride, bool add) {
  double sums[kernel_rows][kernel_columns] = {};
  for (std::int64_t k = 0; k < depth; ++k, a += kernel_rows, b += kernel_columns) {
    for (std::int64_t i = 0; i < kernel_rows; ++i) {
      for (std::int64_t j = 0; j < kernel_columns; ++j) sums[i][j] += a[i] * b[j];
    }
  }
  for (std::int64_t i = 0; i < kernel_rows; ++i) {
    for (std::int64_t j = 0; j < kernel_columns; ++j) {
      c[i * stride + j] = add ? c[i * stride + j] + sums[i][j] : sums[i][j];
    }
  }
}

#ifdef TIEOUT_AVX2

namespace {

struct Row {
  __m256d low;
  __m256d high;
};

__attribute__((target("avx2,fma"))) inline void put(const Row& row, double* c, bool add) {
  const __m256d low = add ? _mm256_add_pd(_mm256_loadu_pd(c), row.low) : row.low;
  const __m256d high = add ? _mm256_add_pd(_mm256_loadu_pd(c + 4), row.high) : row.high;
  _mm256_storeu_pd(c, low);
  _mm256_storeu_pd(c + 4, high);
}

__attribute__((target("avx2,fma"))) inline void multiply_add(Row& row, double a, __m256d low, __m256d high) {
  const __m256d factor = _mm256_set1_pd(a);
  row.low = _mm256_fmadd_pd(factor, low, row.low);
  row.high = _mm256_fmadd_pd(factor, high, row.high);
}

// All sums stay in registers: 12 of the 16, two for b, one for a.
__attribute__((target("avx2,fma"))) void product_kernel_avx2(std::int64_t depth, const double* a,
                                                             const double* b, double* c, std::int64_t stride,
                                                             bool add) {
  Row row0{_mm256_setzero_pd(), _mm256_setzero_pd()};
  Row row1 = row0;
  Row row2 = row0;
  Row row3 = row0;
  Row row4 = row0;
  Row row5 = row0;
  for (std::int64_t k = 0; k < depth; ++k, a += kernel_rows, b += kernel_columns) {
    const __m256d low = _mm256_loadu_pd(b);
    const __m256d high = _mm256_loadu_pd(b + 4);
    multiply_add(row0, a[0], low, high);
    multiply_add(row1, a[1], low, high);
    multiply_add(row2, a[2], low, high);
    multiply_add(row3, a[3], low, high);
    multiply_add(row4, a[4], low, high);
    multiply_add(row5, a[5], low, high);
  }
  put(row0, c, add);
  put(row1, c + stride, add);
  put(row2, c + 2 * stride, add);
  put(row3, c + 3 * stride, add);
  put(row4, c + 4 * stride, add);
  put(row5, c + 5 * stride, add);
}

}  // namespace

#endif

ProductKernel product_kernel() {
#ifdef TIEOUT_AVX2
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) return product_kernel_avx2;
#endif
  return product_kernel_plain;
}

}  // namespace tieout
