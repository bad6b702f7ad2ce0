#include "verify/probe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "convert/lift.h"
#include "tieout/error.h"
#include "verify/test_models.h"

using namespace tieout;
using test::tensor;

TEST_CASE("probes have a batch of 2, are repeatable, and come in three kinds") {
  auto file = test::model(Framework::torch, {unknown, 50});
  test::add(file, "0", "ReLU", Json::object());
  const Model model = lift(file);
  const auto normal = random_probe(model, 0, 1).at(0);
  CHECK(normal.shape == Shape{2, 50});
  CHECK(normal.data == random_probe(model, 0, 1).at(0).data);
  CHECK(normal.data != random_probe(model, 0, 2).at(0).data);
  const auto largest = [](const Array& array) {
    return std::abs(*std::ranges::max_element(array.data, {}, [](double x) { return std::abs(x); }));
  };
  CHECK(largest(normal) > 1);
  const auto uniform = random_probe(model, 1, 1).at(0);
  CHECK(std::ranges::all_of(uniform.data, [](double x) { return x >= 0 && x < 1; }));
  CHECK(largest(random_probe(model, 2, 1).at(0)) < 0.1);
}

TEST_CASE("an input that an embedding reads gets indices of its table") {
  auto file = test::model(Framework::torch, {unknown, 40});
  test::add(file, "0", "Embedding", {{"num_embeddings", 3}, {"embedding_dim", 1}},
            {{"weight", tensor({3, 1}, {0, 1, 2})}});
  const Model model = lift(file);
  CHECK(embedding_size(model, model.inputs.at(0)) == 3);
  const auto probe = random_probe(model, 0, 0).at(0);
  CHECK(std::ranges::all_of(probe.data, [](double x) { return x == 0 || x == 1 || x == 2; }));
  CHECK(*std::ranges::max_element(probe.data) == 2);
}

TEST_CASE("a given probe is found by name or by order, and its shape is checked") {
  auto file = test::model(Framework::torch, {unknown, 2});
  test::add(file, "0", "ReLU", Json::object());
  const Model model = lift(file);
  CHECK(given_probe(model, {{"anything", tensor({1, 2}, {5, 6})}}).at(0).data == std::vector<double>{5, 6});
  CHECK_THROWS_AS(given_probe(model, {{"input", tensor({2}, {5, 6})}}), Error);
  CHECK_THROWS_AS(given_probe(model, {{"input", tensor({1, 3}, {5, 6, 7})}}), Error);
  CHECK_THROWS_AS(given_probe(model, {}), Error);
}
