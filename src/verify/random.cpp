#include "verify/random.h"

#include <cmath>
#include <numbers>

namespace tieout {

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

double Random::uniform() {
  return std::ldexp(static_cast<double>(next() >> 11U), -53);
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::int64_t Random::below(std::int64_t limit) {
  // The bias of the remainder does not matter here: limits are far below 2^64.
  return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(limit));
}

}  // namespace tieout
