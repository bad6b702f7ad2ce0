#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "convert/lift.h"
#include "layers/layer_kind.h"
#include "layers/record/refusal.h"
#include "tieout/error.h"
#include "verify/interpreter.h"
#include "verify/random.h"

using namespace tieout;

namespace {

// A case of a record as a model of one node, with random numbers.
struct Made {
  FrameworkModel file;
  Model model;
  std::vector<Array> inputs;
  std::map<int, LayerParameters> parameters;
};

Array random_array(const Shape& shape, Random& random, bool positive) {
  Array made(shape);
  for (double& value : made.data) value = positive ? 0.5 + random.uniform() : random.normal();
  return made;
}

Array input_of(const Case& test, const Shape& shape, Random& random) {
  if (!test.inputs.starts_with("indices:")) return random_array(shape, random, false);
  Array made(shape);
  const std::int64_t limit = std::stoll(test.inputs.substr(test.inputs.find(':') + 1));
  for (double& value : made.data) value = static_cast<double>(random.below(limit));
  return made;
}

bool has_fast_path(const Model& model) {
  return std::ranges::any_of(model.layers, [](const Layer& layer) {
    return static_cast<bool>(kind_named(layer.kind).compute_fast);
  });
}

Made make(const Case& test, std::uint64_t seed) {
  Made made;
  Random random(seed);
  made.file.framework = made.model.framework = test.framework;
  made.file.has_architecture = made.model.has_architecture = true;
  FrameworkNode node;
  node.name = "layer";
  node.class_name = test.class_name;
  node.settings = test.settings.is_null() ? Json::object() : test.settings;
  for (std::size_t k = 0; k < test.input_shapes.size(); ++k) {
    const auto name = "input" + std::to_string(k);
    made.file.inputs.push_back({name, test.input_shapes[k], DType::f64, {}});
    node.inputs.push_back({{ValueRef::model_input, static_cast<int>(k)}, {}});
    Value value;
    value.known = true;
    for (const std::int64_t size : test.input_shapes[k])
      value.axes.push_back({"_" + std::to_string(k) + "_" + std::to_string(value.axes.size()), size, {}});
    made.model.values.push_back(std::move(value));
    made.model.inputs.push_back(static_cast<int>(k));
    made.inputs.push_back(input_of(test, test.input_shapes[k], random));
  }
  made.file.nodes.push_back(std::move(node));
  made.model.outputs = lift_fresh(made.model, made.file, 0, made.model.inputs);
  if (!has_fast_path(made.model)) return made;
  for (std::size_t i = 0; i < made.model.layers.size(); ++i) {
    LayerParameters& own = made.parameters[static_cast<int>(i)];
    for (const auto& parameter : made.model.layers[i].parameters) {
      if (!parameter.bookkeeping)
        own[parameter.name] = random_array(pattern_shape(parameter.canonical, parameter.sizes), random,
                                           parameter.name == "variance");
    }
  }
  return made;
}

// The largest difference, relative to the largest number.
double difference(const Array& a, const Array& b) {
  double largest = 0;
  double differs = 0;
  for (std::size_t i = 0; i < a.count(); ++i) {
    largest = std::max(largest, std::abs(a.data[i]));
    differs = std::max(differs, std::abs(a.data[i] - b.data[i]));
  }
  return differs == 0 ? 0 : differs / largest;
}

void compare_outputs(const Made& made, const std::vector<std::optional<Array>>& fast,
                     const std::vector<std::optional<Array>>& plain) {
  for (const int output : made.model.outputs) {
    const auto& ours = fast.at(static_cast<std::size_t>(output));
    const auto& theirs = plain.at(static_cast<std::size_t>(output));
    REQUIRE(ours);
    REQUIRE(theirs);
    CHECK(ours->shape == theirs->shape);
    CHECK(difference(*ours, *theirs) <= 1e-13);
  }
}

// Settings of the case in sizes that do not fit into one tile, block or cell, where the case allows it.
Case enlarged(const Case& test) {
  Case larger = test;
  for (auto& shape : larger.input_shapes) shape.at(0) *= 11;
  return larger;
}

}  // namespace

TEST_CASE("the fast paths compute what the plain loops compute, in every case of every record") {
  std::set<std::string> compared;
  for (const auto& kind : all_layers()) {
    for (const auto& test : kind.cases) {
      for (const Case& one : {test, enlarged(test)}) {
        CAPTURE(kind.name);
        CAPTURE(test.name);
        Made made;
        try {
          made = make(one, 7);
        } catch (const Refusal&) {
          continue;
        } catch (const Error&) {
          continue;  // a setting that holds the batch
        } catch (const std::out_of_range&) {
          continue;  // a size that only a tensor tells
        }
        if (!has_fast_path(made.model)) continue;
        const ParameterSource parameters = parameters_from(made.parameters);
        const std::set<int> outputs(made.model.outputs.begin(), made.model.outputs.end());
        const auto plain =
            interpret(made.model, made.file, made.inputs, {.parameters = parameters, .plain = true});
        compare_outputs(made, interpret(made.model, made.file, made.inputs, {.parameters = parameters}),
                        plain);
        // Where inputs are spent.
        compare_outputs(
            made, interpret(made.model, made.file, made.inputs, {.parameters = parameters, .keep = &outputs}),
            plain);
        compared.insert(kind.name);
      }
    }
  }
  for (const auto& kind : all_layers()) {
    CAPTURE(kind.name);
    if (kind.compute_fast && !kind.cases.empty()) CHECK(compared.contains(kind.name));
  }
}
