#include <algorithm>
#include <array>
#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// The same numbers in another type: whole ones lose their fraction, truth values are 0 and 1.
//
// Setting "dtype": float32, float64, int32, int64 or bool.

namespace tieout::layers {

namespace {

constexpr std::array<const char*, 5> carried{"float32", "float64", "int32", "int64", "bool"};

void lift(Lifter& lifter) {
  Json dtype;
  if (lifter.is_torch()) {
    dtype = lifter.settings().raw("dtype");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x"});
    dtype = arguments.take_or_setting(1, {"dtype"});
    arguments.finish();
  }
  // Keras' own compute_mask says so of a mask.
  if (dtype.is_null() && lifter.node().class_name == "ConvertToTensor") {
    lifter.add(lifter.layer("identity"));
    return;
  }
  const auto is_carried = [&](const char* name) { return dtype == name; };
  if (std::ranges::none_of(carried, is_carried)) {
    lifter.refuse("it casts to " + dtype.dump().substr(0, 40) + ", whose rounding is not computed",
                  "cast to float32, float64, int32, int64 or bool");
  }
  Layer layer = lifter.layer("cast");
  layer.settings = {{"dtype", dtype}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto dtype = lowerer.layer().settings["dtype"].get<std::string>();
  if (lowerer.to_torch())
    lowerer.add("torch.to", {{"dtype", dtype}}, "{0}.to(torch." + dtype + ")");
  else
    lowerer.add_node(operator_node("core", "Cast", {{"dtype", dtype}}));
}

std::vector<Array> compute(const Evaluation& e) {
  const auto dtype = e.layer.settings.at("dtype").get<std::string>();
  Array y = *e.inputs[0];
  for (double& value : y.data) {
    if (dtype == "bool")
      value = value != 0 ? 1 : 0;
    else if (dtype.starts_with("int"))
      value = std::trunc(value);
    else if (dtype == "float32")
      value = static_cast<double>(static_cast<float>(value));
  }
  return {y};
}

}  // namespace

LayerKind cast() {
  LayerKind kind;
  kind.name = "cast";
  kind.torch = exact({"torch.to"});
  kind.keras = exact({"ops.Cast", "ops.ConvertToTensor", "tf.cast"});
  kind.summary = "The same numbers in another type.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html",
                  "https://keras.io/api/ops/core/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.absorbs_flatten = true;
  kind.cases = {operator_case("to whole numbers", "Cast", {{"dtype", "int32"}}, {{2, 4, 5, 3}}),
                operator_case("to truth values", "Cast", {{"dtype", "bool"}}, {{2, 5, 3}}),
                operator_case("as it is", "ConvertToTensor", Json::object(), {{2, 5, 3}}),
                operator_case("to single precision", "Cast", {{"dtype", "float32"}}, {{3, 7}})};
  return kind;
}

}  // namespace tieout::layers
