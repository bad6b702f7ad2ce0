#include "containers/hdf5/read/checksum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tieout::hdf5 {

namespace {

constexpr std::size_t step = 12;  // bytes that lookup3 takes at a time

struct State {
  std::uint32_t a, b, c;

  void add(const std::byte* bytes) {
    std::array<std::uint32_t, 3> words{};
    std::memcpy(words.data(), bytes, step);
    a += words[0];
    b += words[1];
    c += words[2];
  }

  void mix() {
    a = (a - c) ^ std::rotl(c, 4), c += b;
    b = (b - a) ^ std::rotl(a, 6), a += c;
    c = (c - b) ^ std::rotl(b, 8), b += a;
    a = (a - c) ^ std::rotl(c, 16), c += b;
    b = (b - a) ^ std::rotl(a, 19), a += c;
    c = (c - b) ^ std::rotl(b, 4), b += a;
  }

  void finish() {
    c = (c ^ b) - std::rotl(b, 14);
    a = (a ^ c) - std::rotl(c, 11);
    b = (b ^ a) - std::rotl(a, 25);
    c = (c ^ b) - std::rotl(b, 16);
    a = (a ^ c) - std::rotl(c, 4);
    b = (b ^ a) - std::rotl(a, 14);
    c = (c ^ b) - std::rotl(b, 24);
  }
};

std::uint32_t folded(std::uint32_t sum) {
  return (sum & 0xffffU) + (sum >> 16U);
}

}  // namespace

std::uint32_t lookup3(Bytes bytes) {
  const std::uint32_t start = 0xdeadbeef + static_cast<std::uint32_t>(bytes.size());
  State state{start, start, start};
  for (; bytes.size() > step; bytes = bytes.subspan(step)) {
    state.add(bytes.data());
    state.mix();
  }
  if (bytes.empty()) return state.c;
  std::array<std::byte, step> last{};
  std::memcpy(last.data(), bytes.data(), bytes.size());
  state.add(last.data());
  state.finish();
  return state.c;
}

std::uint32_t fletcher32(Bytes bytes) {
  constexpr std::size_t words_before_overflow = 360;  // that the second sum takes from 0xffff on
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  const auto add = [&](std::byte high, std::byte low) {
    first += (std::to_integer<std::uint32_t>(high) << 8U) | std::to_integer<std::uint32_t>(low);
    second += first;
  };
  const std::size_t words = bytes.size() / 2;
  for (std::size_t at = 0; at < words; at += words_before_overflow) {
    const std::size_t end = std::min(words, at + words_before_overflow);
    for (std::size_t k = at; k < end; ++k) add(bytes[2 * k], bytes[2 * k + 1]);
    first = folded(first);
    second = folded(second);
  }
  if (bytes.size() % 2 != 0) {
    add(bytes.back(), std::byte{0});
    first = folded(first);
    second = folded(second);
  }
  return (folded(second) << 16U) | folded(first);
}

}  // namespace tieout::hdf5
