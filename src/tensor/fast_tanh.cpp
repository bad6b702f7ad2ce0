#include "tensor/fast_tanh.h"

#include <cmath>

#if defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define TIEOUT_LIBMVEC 1
#include <immintrin.h>

// Their names are part of the x86-64 vector function ABI: d is AVX2, e is AVX-512, N without a mask.
extern "C" {
__attribute__((target("avx2"))) __m256d _ZGVdN4v_tanh(__m256d numbers);
__attribute__((target("avx512f"))) __m512d _ZGVeN8v_tanh(__m512d numbers);
}
#endif
#endif

namespace tieout {

namespace {

void plain(std::span<double> numbers) {
  for (double& number : numbers) number = std::tanh(number);
}

#ifdef TIEOUT_LIBMVEC

__attribute__((target("avx2"))) void by_fours(std::span<double> numbers) {
  std::size_t k = 0;
  for (; k + 4 <= numbers.size(); k += 4)
    _mm256_storeu_pd(&numbers[k], _ZGVdN4v_tanh(_mm256_loadu_pd(&numbers[k])));
  plain(numbers.subspan(k));
}

__attribute__((target("avx512f"))) void by_eights(std::span<double> numbers) {
  std::size_t k = 0;
  for (; k + 8 <= numbers.size(); k += 8)
    _mm512_storeu_pd(&numbers[k], _ZGVeN8v_tanh(_mm512_loadu_pd(&numbers[k])));
  plain(numbers.subspan(k));
}

#endif

}  // namespace

void fast_tanh(std::span<double> numbers) {
#ifdef TIEOUT_LIBMVEC
  static const bool avx512 = __builtin_cpu_supports("avx512f");
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx512) return by_eights(numbers);
  if (avx2) return by_fours(numbers);
#endif
  plain(numbers);
}

}  // namespace tieout
