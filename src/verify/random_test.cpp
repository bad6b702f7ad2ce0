#include "verify/random.h"

#include <doctest/doctest.h>

using namespace tieout;

TEST_CASE("splitmix64 gives its reference numbers") {
  // Seed 1234567: https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
  Random random(1234567);
  CHECK(random.next() == 6457827717110365317U);
  CHECK(random.next() == 3203168211198807973U);
  CHECK(random.next() == 9817491932198370423U);
}

TEST_CASE("normal numbers have mean 0 and variance 1, uniform ones stay in [0, 1)") {
  Random random(7);
  double sum = 0;
  double squares = 0;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    REQUIRE(random.below(5) < 5);
  }
  CHECK(sum / count == doctest::Approx(0).epsilon(0.05));
  CHECK(squares / count == doctest::Approx(1).epsilon(0.05));
}
