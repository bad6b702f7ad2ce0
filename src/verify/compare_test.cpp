#include "verify/compare.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace tieout;

namespace {

Array row(std::vector<double> values) {
  Array array(Shape{1, static_cast<std::int64_t>(values.size())});
  array.data = std::move(values);
  return array;
}

const Axes axes{{"n", unknown, {}}, {"f", unknown, {}}};

Comparison compared(std::vector<double> a, std::vector<double> b) {
  return compare(row(std::move(a)), axes, row(std::move(b)), axes, 1e-3);
}

}  // namespace

TEST_CASE("the difference is measured against the array's largest value") {
  const auto near = compared({0, 100}, {0.05, 100});
  CHECK(near.max_abs == 0.05);
  CHECK(near.max_rel() == 0.0005);
  CHECK(near.ties_out);
  CHECK(!compared({0, 100}, {0.2, 100}).ties_out);
  CHECK(compared({0, 0}, {0, 0}).ties_out);
  CHECK(!compared({0, 0}, {1e-30, 0}).ties_out);
}

TEST_CASE("NaN and infinities are equal only to themselves in the same place") {
  const auto same = compared({NAN, INFINITY, 1}, {NAN, INFINITY, 1});
  CHECK(same.ties_out);
  CHECK(same.note == "2 elements are NaN or infinite, the same on both sides");
  CHECK(!compared({NAN, 1}, {1, NAN}).ties_out);
  CHECK(!compared({INFINITY}, {-INFINITY}).ties_out);
  CHECK(!compared({1}, {INFINITY}).ties_out);
}

TEST_CASE("shapes that differ are told") {
  const auto result = compared({1, 2}, {1});
  CHECK(!result.ties_out);
  CHECK(result.note == "the shapes differ: (1, 2) and (1, 1)");
}
