#include "containers/tensor_bundle/crc32c.h"

#include <array>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace tieout::tensor_bundle {

namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;
// Checksums are polynomials over GF(2) modulo the CRC's, the highest bit first: 1 is 0x80000000.
constexpr std::uint32_t one = 0x80000000;

constexpr std::uint32_t times_x(std::uint32_t a) {
  return (a >> 1) ^ ((a & 1) != 0 ? polynomial : 0);
}

constexpr std::uint32_t product(std::uint32_t a, std::uint32_t b) {
  std::uint32_t sum = 0;
  for (std::uint32_t bit = one; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) sum ^= b;
    b = times_x(b);
  }
  return sum;
}

// x^(8 length): what a checksum is multiplied with when `length` zeros follow.
constexpr std::uint32_t power_of_length(std::uint64_t length) {
  std::uint32_t power = one;
  std::uint32_t square = one >> 8;  // x^8
  for (; length > 0; length >>= 1) {
    if ((length & 1) != 0) power = product(power, square);
    square = product(square, square);
  }
  return power;
}

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: the checksum of the byte b with k zeros behind it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = times_x(crc);
    tables[0][b] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t b = 0; b < 256; ++b)
      tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xFF];
  }
  return tables;
}

std::uint64_t word_at(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

#ifdef __x86_64__
// The instruction takes 8 bytes in one cycle but gives its result after three: three runs of this length are
// checked side by side and joined.
constexpr std::size_t run = 8192;
constexpr std::uint32_t behind_run = power_of_length(run);

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(Bytes bytes, std::uint32_t before) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t crc = ~before;
  while (left >= 3 * run) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < run; i += 8) {
      crc = _mm_crc32_u64(crc, word_at(at + i));
      second = _mm_crc32_u64(second, word_at(at + run + i));
      third = _mm_crc32_u64(third, word_at(at + 2 * run + i));
    }
    crc = product(behind_run, static_cast<std::uint32_t>(crc)) ^ second;
    crc = product(behind_run, static_cast<std::uint32_t>(crc)) ^ third;
    at += 3 * run;
    left -= 3 * run;
  }
  for (; left >= 8; at += 8, left -= 8) crc = _mm_crc32_u64(crc, word_at(at));
  auto last = static_cast<std::uint32_t>(crc);
  for (; left > 0; ++at, --left) last = _mm_crc32_u8(last, static_cast<std::uint8_t>(*at));
  return ~last;
}

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(Bytes bytes, std::uint32_t before) {
  static constexpr Tables tables = make_tables();
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t crc = ~before;
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t word = word_at(at) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; left > 0; ++at, --left) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<std::uint8_t>(*at)) & 0xFF];
  return ~crc;
}

std::uint32_t crc32c_of(Bytes bytes, std::uint32_t before) {
#ifdef __x86_64__
  if (has_instruction()) return by_instruction(bytes, before);
#endif
  return crc32c_by_table(bytes, before);
}

std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length) {
  return product(power_of_length(length), first) ^ second;
}

std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

}  // namespace tieout::tensor_bundle
