#include "verify/layout.h"

#include <doctest/doctest.h>

#include <numeric>

using namespace tieout;

namespace {

Array counting(const Shape& shape) {
  Array array(shape);
  std::iota(array.data.begin(), array.data.end(), 0.0);
  return array;
}

Axis named(const std::string& name, std::int64_t size = unknown) {
  return {name, size, {}};
}

}  // namespace

TEST_CASE("an image goes from channels first to channels last") {
  const Array image = counting({1, 2, 1, 3});  // c0: 0 1 2, c1: 3 4 5
  const auto last = to_layout(image, {named("n"), named("c"), named("h"), named("w")},
                              {named("n"), named("h"), named("w"), named("c")});
  REQUIRE(last);
  CHECK(last->shape == Shape{1, 1, 3, 2});
  CHECK(last->data == std::vector<double>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("a flattened image is reordered by its parts") {
  const Axis first{"f", 4, {named("c", 2), named("w", 2)}};
  const Axis last{"f", 4, {named("w", 2), named("c", 2)}};
  const auto moved = to_layout(counting({2, 4}), {named("n"), first}, {named("n"), last});
  REQUIRE(moved);
  CHECK(moved->data == std::vector<double>{0, 2, 1, 3, 4, 6, 5, 7});
}

TEST_CASE("one axis of another name on each side is the same axis") {
  CHECK(to_layout(counting({2, 3}), {named("n"), named("c")}, {named("n"), named("f")}));
  CHECK(!to_layout(counting({2, 3, 4}), {named("n"), named("t"), named("c")},
                   {named("n"), named("h"), named("f")}));
}

TEST_CASE("axes that do not correspond are refused") {
  const Axis flat{"f", 4, {named("c", 2), named("w", 2)}};
  CHECK(!to_layout(counting({2, 4}), {named("n"), flat}, {named("n"), named("f", 4)}));
  CHECK(!to_layout(counting({2, 6}), {named("n"), flat},
                   {named("n"), {"f", 4, {named("w", 2), named("c", 2)}}}));
}

TEST_CASE("names that stand twice are fine while nothing moves") {
  const Axes scores{named("n"), named("t"), named("t")};
  CHECK(to_layout(counting({2, 3, 3}), scores, scores));
}
