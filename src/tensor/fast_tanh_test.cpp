#include "tensor/fast_tanh.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace tieout;

TEST_CASE("tanh of many numbers is that of each, within 4 units in the last place") {
  // Small and large ones, on both sides of where the function is 1; a number that is no multiple of a vector.
  std::vector<double> numbers;
  for (double x = 1e-300; x < 1e3; x *= 1.01) {
    numbers.push_back(x);
    numbers.push_back(-x);
  }
  numbers.push_back(0.5);
  std::vector<double> got = numbers;
  fast_tanh(got);
  double worst = 0;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    const double wanted = std::tanh(numbers[k]);
    const double unit = std::nextafter(std::abs(wanted), 2.0) - std::abs(wanted);
    worst = std::max(worst, std::abs(got[k] - wanted) / unit);
  }
  CHECK(worst <= 5);  // std::tanh itself is not exact
}

TEST_CASE("tanh of what is no usual number") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> numbers(9, 0.0);
  numbers[0] = infinity;
  numbers[1] = -infinity;
  numbers[2] = std::numeric_limits<double>::quiet_NaN();
  numbers[3] = -0.0;
  numbers[4] = std::numeric_limits<double>::denorm_min();
  fast_tanh(numbers);
  CHECK(numbers[0] == 1.0);
  CHECK(numbers[1] == -1.0);
  CHECK(std::isnan(numbers[2]));
  CHECK((numbers[3] == 0.0 && std::signbit(numbers[3])));
  CHECK(numbers[4] == std::numeric_limits<double>::denorm_min());
  CHECK(numbers[8] == 0.0);
}
