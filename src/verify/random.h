// Random numbers that are the same everywhere.
#pragma once

#include <cstdint>

namespace tieout {

// splitmix64 (https://prng.di.unimi.it/splitmix64.c); uniform numbers from its upper 53 bits, normal ones by
// Box and Muller's method (cosine branch).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  double uniform();                        // in [0, 1)
  double normal();                         // mean 0, variance 1
  std::int64_t below(std::int64_t limit);  // in [0, limit); limit > 0

 private:
  std::uint64_t state_;
};

}  // namespace tieout
