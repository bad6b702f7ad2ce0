#include "verify/interpreter.h"

#include <doctest/doctest.h>

#include <set>

#include "convert/lift.h"
#include "tieout/error.h"
#include "verify/test_models.h"

using namespace tieout;
using test::tensor;

namespace {

Array array(Shape shape, std::vector<double> values) {
  Array made(std::move(shape));
  made.data = std::move(values);
  return made;
}

}  // namespace

TEST_CASE("a linear layer is W x + b, in both frameworks' layouts") {
  auto torch = test::model(Framework::torch, {unknown, 3});
  test::add(torch, "0", "Linear", {{"in_features", 3}, {"out_features", 2}},
            {{"weight", tensor({2, 3}, {1, 2, 3, 4, 5, 6})}, {"bias", tensor({2}, {10, 20})}});
  auto keras = test::model(Framework::keras, {unknown, 3});
  test::add(keras, "dense", "Dense", {{"units", 2}},
            {{"kernel", tensor({3, 2}, {1, 4, 2, 5, 3, 6})}, {"bias", tensor({2}, {10, 20})}});
  for (auto* file : {&torch, &keras}) {
    const Model model = lift(*file);
    const auto values = interpret(model, *file, {array({2, 3}, {1, 0, 0, 1, 1, 1})});
    const auto& out = values.at(static_cast<std::size_t>(model.outputs.at(0)));
    REQUIRE(out);
    CHECK(out->shape == Shape{2, 2});
    CHECK(out->data == std::vector<double>{11, 24, 16, 35});
  }
}

TEST_CASE("values keep the framework's layout through a convolution") {
  // A 1x1 kernel of 1 input and 2 output channels: y0 = x, y1 = 10 x.
  auto keras = test::model(Framework::keras, {unknown, 1, 2, 1});
  test::add(keras, "conv", "Conv2D", {{"filters", 2}, {"kernel_size", {1, 1}}, {"use_bias", false}},
            {{"kernel", tensor({1, 1, 1, 2}, {1, 10})}});
  const Model model = lift(keras);
  const auto values = interpret(model, keras, {array({1, 1, 2, 1}, {3, 4})});
  const auto& out = values.at(static_cast<std::size_t>(model.outputs.at(0)));
  REQUIRE(out);
  CHECK(out->shape == Shape{1, 1, 2, 2});
  CHECK(out->data == std::vector<double>{3, 30, 4, 40});
}

TEST_CASE("types that are not computed with and sizes that do not fit are refused") {
  auto torch = test::model(Framework::torch, {unknown, 1});
  test::add(torch, "0", "Linear", {{"in_features", 1}, {"out_features", 1}},
            {{"weight", make_tensor(DType::i8, {1, 1}, {std::byte{1}})}, {"bias", tensor({1}, {0})}});
  const Model model = lift(torch);
  CHECK_THROWS_WITH_AS(interpret(model, torch, {array({1, 1}, {1})}),
                       "the interpreter does not compute with int8", Error);

  auto large = test::model(Framework::torch, {unknown, 1LL << 40});
  test::add(large, "0", "ReLU", Json::object());
  const Model large_model = lift(large);
  CHECK_THROWS_AS(interpret(large_model, large, {array({0, 1LL << 40}, {})}), Error);
}

TEST_CASE("a run goes as far as it is asked, and keeps what will be asked for") {
  auto torch = test::model(Framework::torch, {unknown, 2});
  for (const char* name : {"0", "1", "2"}) test::add(torch, name, "ReLU", Json::object());
  const Model model = lift(torch);
  REQUIRE(model.layers.size() == 3);
  const auto output = [&](std::size_t layer) { return model.layers[layer].outputs.at(0); };
  const std::set<int> wanted{output(0), output(2)};
  std::size_t most = 0;
  Interpretation run(model, torch, {array({3, 2}, {-1, 2, -3, 4, -5, 6})},
                     {.keep = &wanted, .most_bytes = &most});
  const Array* first = run.value(output(0));
  REQUIRE(first != nullptr);
  CHECK(first->data == std::vector<double>{0, 2, 0, 4, 0, 6});
  const Array* last = run.value(output(2));
  REQUIRE(last != nullptr);
  CHECK(last->data == std::vector<double>{0, 2, 0, 4, 0, 6});
  CHECK(run.value(output(0)) != nullptr);
  CHECK(run.value(output(1)) == nullptr);
  run.release(output(0));
  CHECK(run.value(output(0)) == nullptr);
  // The first layer's, which was wanted, and the second's, in which the third one computed.
  CHECK(most == 2 * 6 * sizeof(double));
}
