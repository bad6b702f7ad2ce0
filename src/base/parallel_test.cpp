#include "base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace tieout;

TEST_CASE("a parallel loop does each part once, also inside another") {
  std::vector<std::atomic<int>> done(1000);
  parallel_for(10, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      parallel_for(100, 7, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t k = from; k < to; ++k) ++done[static_cast<std::size_t>(i * 100 + k)];
      });
    }
  });
  for (const auto& times : done) CHECK(times == 1);
  parallel_for(0, 1, [](std::int64_t, std::int64_t) { FAIL("there is nothing to do"); });
}

TEST_CASE("a parallel loop throws what a part throws, and the next one works") {
  const auto refuse = [](std::int64_t, std::int64_t) { throw std::runtime_error("no"); };
  for (int turn = 0; turn < 100; ++turn) {
    CHECK_THROWS_AS(parallel_for(64, 1, refuse), std::runtime_error);
    std::atomic<std::int64_t> sum = 0;
    parallel_for(64, 1, [&](std::int64_t first, std::int64_t last) { sum += last - first; });
    CHECK(sum == 64);
  }
}
