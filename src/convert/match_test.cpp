#include "convert/match.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace tieout;

namespace {

// A chain of layers of one shape, by name and kind.
Model chain(Framework framework, const std::vector<std::pair<std::string, std::string>>& layers) {
  Model model;
  model.framework = framework;
  model.has_architecture = true;
  Value value;
  value.known = true;
  value.axes = {{"n", unknown, {}}, {"f", 3, {}}};
  model.values.push_back(value);
  model.inputs = {0};
  model.input_names = {"input"};
  for (const auto& [name, kind] : layers) {
    Layer layer;
    layer.name = name;
    layer.kind = kind;
    layer.inputs = {static_cast<int>(model.values.size()) - 1};
    layer.outputs = {static_cast<int>(model.values.size())};
    model.values.push_back(value);
    model.layers.push_back(std::move(layer));
  }
  model.outputs = {static_cast<int>(model.values.size()) - 1};
  return model;
}

}  // namespace

TEST_CASE("match: a layer of a composition takes no other layer's partner of the same kind") {
  const Model torch = chain(Framework::torch, {{"part.2", "local_response_norm"}, {"part.3", "multiply"}});
  const Model keras = chain(Framework::keras, {{"part.2_square", "math_function"},
                                               {"part.2_scale", "multiply"},
                                               {"part.2", "binary_function"},
                                               {"part.3", "multiply"}});
  const Matching matching = match(torch, keras);
  REQUIRE(matching.layers.size() == 1);
  CHECK(matching.layers[0].a == 1);
  CHECK(matching.layers[0].b == 3);
}

TEST_CASE("match: names do not outweigh the number of pairs") {
  const Model torch = chain(Framework::torch, {{"one", "relu"}, {"two", "tanh"}, {"three", "tanh"}});
  const Model keras = chain(Framework::keras, {{"a", "relu"}, {"three", "tanh"}, {"b", "tanh"}});
  const Matching matching = match(torch, keras);
  REQUIRE(matching.layers.size() == 3);
  for (int k = 0; k < 3; ++k) {
    CHECK(matching.layers[static_cast<std::size_t>(k)].a == k);
    CHECK(matching.layers[static_cast<std::size_t>(k)].b == k);
  }
}
