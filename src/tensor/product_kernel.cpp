#include "tensor/product_kernel.h"

#include <array>

#if defined(__x86_64__) && defined(__GNUC__)
#define TIEOUT_X86 1
#include <immintrin.h>
#endif

namespace tieout {

namespace {

constexpr std::int64_t plain_rows = 6;
constexpr std::int64_t plain_columns = 8;

void run_plain(std::int64_t depth, const double* a, const double* b, double* c, std::int64_t stride,
               bool add) {
  double sums[plain_rows][plain_columns] = {};
  for (std::int64_t k = 0; k < depth; ++k, a += plain_rows, b += plain_columns) {
    for (std::int64_t i = 0; i < plain_rows; ++i) {
      for (std::int64_t j = 0; j < plain_columns; ++j) sums[i][j] += a[i] * b[j];
    }
  }
  for (std::int64_t i = 0; i < plain_rows; ++i) {
    for (std::int64_t j = 0; j < plain_columns; ++j) {
      c[i * stride + j] = add ? c[i * stride + j] + sums[i][j] : sums[i][j];
    }
  }
}

#ifdef TIEOUT_X86

// In both, all sums stay in registers, beside two for b and one for a: 12 of AVX2's 16, 24 of AVX-512's 32.
// For that the loops over them must be unrolled, which -O2 does not do unasked.

constexpr std::size_t avx2_rows = 6;
constexpr std::size_t avx2_columns = 8;

__attribute__((target("avx2,fma"))) void run_avx2(std::int64_t depth, const double* a, const double* b,
                                                  double* c, std::int64_t stride, bool add) {
  __m256d sums[avx2_rows][2];
#pragma GCC unroll 6
  for (auto& row : sums) row[0] = row[1] = _mm256_setzero_pd();
  for (std::int64_t k = 0; k < depth; ++k, a += avx2_rows, b += avx2_columns) {
    const __m256d low = _mm256_loadu_pd(b);
    const __m256d high = _mm256_loadu_pd(b + 4);
#pragma GCC unroll 6
    for (std::size_t i = 0; i < avx2_rows; ++i) {
      const __m256d factor = _mm256_set1_pd(a[i]);
      sums[i][0] = _mm256_fmadd_pd(factor, low, sums[i][0]);
      sums[i][1] = _mm256_fmadd_pd(factor, high, sums[i][1]);
    }
  }
#pragma GCC unroll 6
  for (std::size_t i = 0; i < avx2_rows; ++i, c += stride) {
    _mm256_storeu_pd(c, add ? _mm256_add_pd(_mm256_loadu_pd(c), sums[i][0]) : sums[i][0]);
    _mm256_storeu_pd(c + 4, add ? _mm256_add_pd(_mm256_loadu_pd(c + 4), sums[i][1]) : sums[i][1]);
  }
}

constexpr std::size_t avx512_rows = 12;
constexpr std::size_t avx512_columns = 16;

__attribute__((target("avx512f"))) void run_avx512(std::int64_t depth, const double* a, const double* b,
                                                   double* c, std::int64_t stride, bool add) {
  __m512d sums[avx512_rows][2];
#pragma GCC unroll 12
  for (auto& row : sums) row[0] = row[1] = _mm512_setzero_pd();
  for (std::int64_t k = 0; k < depth; ++k, a += avx512_rows, b += avx512_columns) {
    const __m512d low = _mm512_loadu_pd(b);
    const __m512d high = _mm512_loadu_pd(b + 8);
#pragma GCC unroll 12
    for (std::size_t i = 0; i < avx512_rows; ++i) {
      const __m512d factor = _mm512_set1_pd(a[i]);
      sums[i][0] = _mm512_fmadd_pd(factor, low, sums[i][0]);
      sums[i][1] = _mm512_fmadd_pd(factor, high, sums[i][1]);
    }
  }
#pragma GCC unroll 12
  for (std::size_t i = 0; i < avx512_rows; ++i, c += stride) {
    _mm512_storeu_pd(c, add ? _mm512_add_pd(_mm512_loadu_pd(c), sums[i][0]) : sums[i][0]);
    _mm512_storeu_pd(c + 8, add ? _mm512_add_pd(_mm512_loadu_pd(c + 8), sums[i][1]) : sums[i][1]);
  }
}

#endif

}  // namespace

const std::vector<ProductKernel>& product_kernels() {
  static const std::vector<ProductKernel> kernels = [] {
    std::vector<ProductKernel> found;
#ifdef TIEOUT_X86
    if (__builtin_cpu_supports("avx512f")) found.push_back({avx512_rows, avx512_columns, run_avx512});
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      found.push_back({avx2_rows, avx2_columns, run_avx2});
#endif
    found.push_back({plain_rows, plain_columns, run_plain});
    return found;
  }();
  return kernels;
}

}  // namespace tieout
