#include <doctest/doctest.h>

#include "layers/layer_kind.h"
#include "layers/shared/recurrent.h"

namespace tieout {

namespace {

// One unit that adds what comes to what it has: h = x + h, so that every output can be told by heart.
Layer adder(const Json& settings) {
  Layer layer;
  layer.kind = "simple_rnn";
  layer.settings = {{"units", 1},        {"direction", "forward"}, {"returns", "sequence"},
                    {"merge", "concat"}, {"mask", false},          {"initial", false},
                    {"states", false},   {"zero_masked", false},   {"activation", "linear"}};
  layer.settings.update(settings);
  return layer;
}

Array array(Shape shape, std::vector<double> data) {
  Array made(std::move(shape));
  made.data = std::move(data);
  return made;
}

std::vector<Array> run(const Layer& layer, const std::vector<const Array*>& inputs) {
  const Array one = array({1, 1}, {1});
  const Array none = array({1}, {0});
  std::map<std::string, Array> parameters;
  for (const char* prefix : {"", "reverse_"}) {
    parameters[std::string(prefix) + "kernel"] = one;
    parameters[std::string(prefix) + "recurrent_kernel"] = one;
    parameters[std::string(prefix) + "bias"] = none;
  }
  return compute_recurrent(Evaluation{layer, inputs, parameters, {}}, simple_rnn_cell());
}

const Array x = array({1, 4, 1}, {1, 2, 3, 4});

}  // namespace

TEST_CASE("a recurrent layer runs forwards and backwards") {
  CHECK(run(adder(Json::object()), {&x})[0].data == std::vector<double>{1, 3, 6, 10});
  CHECK(run(adder({{"direction", "backward"}}), {&x})[0].data == std::vector<double>{4, 7, 9, 10});
  const Json both = {{"direction", "both"}};
  CHECK(run(adder(both), {&x})[0].data == std::vector<double>{1, 10, 3, 9, 6, 7, 10, 4});
}

TEST_CASE("the backward direction's last output is its own, not the sequence's last step") {
  Layer layer = adder({{"direction", "both"}, {"returns", "last"}});
  CHECK(run(layer, {&x})[0].data == std::vector<double>{10, 10});
  for (const Mistake& mistake : kind_named("simple_rnn").mistakes) {
    if (mistake.name != "last_of_sequence") continue;
    REQUIRE(mistake.mutate(layer, Framework::torch, {}));
    CHECK(run(layer, {&x})[0].data == std::vector<double>{10, 4});
  }
}

TEST_CASE("a masked step leaves the state, and repeats the output or gives 0") {
  const Array mask = array({1, 4}, {0, 1, 0, 1});
  const Array h = array({1, 1}, {100});
  const Json masked = {{"mask", true}};
  CHECK(run(adder(masked), {&x, &mask})[0].data == std::vector<double>{0, 2, 2, 6});
  CHECK(run(adder({{"mask", true}, {"zero_masked", true}}), {&x, &mask})[0].data ==
        std::vector<double>{0, 2, 0, 6});
  // What comes before the first step is 0 all the same.
  CHECK(run(adder({{"mask", true}, {"initial", true}, {"states", true}}), {&x, &mask, &h})[0].data ==
        std::vector<double>{0, 102, 102, 106});
}

TEST_CASE("two directions joined by a number each") {
  const auto joined = [&](const char* merge) {
    return run(adder({{"direction", "both"}, {"returns", "last"}, {"merge", merge}, {"states", true}}), {&x});
  };
  CHECK(joined("sum")[0].data == std::vector<double>{20});
  CHECK(joined("mul")[0].data == std::vector<double>{100});
  CHECK(joined("ave")[0].data == std::vector<double>{10});
  CHECK(joined("none").size() == 4);  // y, y, h, h
}

}  // namespace tieout
