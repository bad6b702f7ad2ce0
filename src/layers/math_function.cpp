#include <algorithm>
#include <cmath>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// y = f(x) for the functions of mathematics that are no activations. Truth values count as 0 and 1.
//
// Setting "function": its name below.

namespace tieout::layers {

namespace {

struct Function {
  std::string name;  // also torch's
  std::string keras_operator;
  std::vector<std::string> other_names;  // in keras.ops, and functions in files of Keras 2
  double (*value)(double);
  std::string module = "numpy";   // of the operator
  std::string inputs = "normal";  // of the case
  std::string torch_call = {};    // empty: torch.NAME({0})
};

double square(double x) {
  return x * x;
}
double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}
// To the nearest even one from the middle, as both frameworks do.
double round_to_even(double x) {
  return std::nearbyint(x);
}

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"neg", "Negative", {"tf.math.negative"}, [](double x) { return -x; }, "numpy", "normal", "-{0}"},
      {"abs", "Absolute", {"ops.Abs", "ops.Fabs", "tf.math.abs"}, [](double x) { return std::abs(x); }},
      {"square", "Square", {"tf.math.square"}, square},
      {"sqrt", "Sqrt", {"tf.math.sqrt"}, [](double x) { return std::sqrt(x); }, "numpy", "positive"},
      {"rsqrt", "Rsqrt", {"tf.math.rsqrt"}, [](double x) { return 1 / std::sqrt(x); }, "math", "positive"},
      {"reciprocal",
       "Reciprocal",
       {"tf.math.reciprocal"},
       [](double x) { return 1 / x; },
       "numpy",
       "positive"},
      {"expm1", "Expm1", {"tf.math.expm1"}, [](double x) { return std::expm1(x); }},
      {"exp2", "Exp2", {}, [](double x) { return std::exp2(x); }},
      {"log", "Log", {"tf.math.log"}, [](double x) { return std::log(x); }, "numpy", "positive"},
      {"log1p", "Log1p", {"tf.math.log1p"}, [](double x) { return std::log1p(x); }, "numpy", "positive"},
      {"log2", "Log2", {}, [](double x) { return std::log2(x); }, "numpy", "positive"},
      {"log10", "Log10", {}, [](double x) { return std::log10(x); }, "numpy", "positive"},
      {"sin", "Sin", {"tf.math.sin"}, [](double x) { return std::sin(x); }},
      {"cos", "Cos", {"tf.math.cos"}, [](double x) { return std::cos(x); }},
      {"tan", "Tan", {"tf.math.tan"}, [](double x) { return std::tan(x); }},
      {"asin", "Arcsin", {"tf.math.asin"}, [](double x) { return std::asin(x); }, "numpy", "small"},
      {"acos", "Arccos", {"tf.math.acos"}, [](double x) { return std::acos(x); }, "numpy", "small"},
      {"atan", "Arctan", {"tf.math.atan"}, [](double x) { return std::atan(x); }},
      {"sinh", "Sinh", {"tf.math.sinh"}, [](double x) { return std::sinh(x); }},
      {"cosh", "Cosh", {"tf.math.cosh"}, [](double x) { return std::cosh(x); }},
      {"asinh", "Arcsinh", {"tf.math.asinh"}, [](double x) { return std::asinh(x); }},
      {"acosh", "Arccosh", {"tf.math.acosh"}, [](double x) { return std::acosh(x); }, "numpy", "above one"},
      {"atanh", "Arctanh", {"tf.math.atanh"}, [](double x) { return std::atanh(x); }, "numpy", "small"},
      {"erf", "Erf", {"tf.math.erf"}, [](double x) { return std::erf(x); }, "math"},
      {"erfc", "Erfc", {"tf.math.erfc"}, [](double x) { return std::erfc(x); }, "math"},
      {"sign", "Sign", {"tf.math.sign"}, sign},
      {"floor", "Floor", {"tf.math.floor"}, [](double x) { return std::floor(x); }},
      {"ceil", "Ceil", {"tf.math.ceil"}, [](double x) { return std::ceil(x); }},
      {"trunc", "Trunc", {}, [](double x) { return std::trunc(x); }},
      {"round", "Round", {"tf.math.round"}, round_to_even},
      {"logical_not", "LogicalNot", {"tf.math.logical_not"}, [](double x) { return x == 0 ? 1.0 : 0.0; }},
      {"isnan", "Isnan", {"tf.math.is_nan"}, [](double x) { return std::isnan(x) ? 1.0 : 0.0; }},
      {"isinf", "Isinf", {"tf.math.is_inf"}, [](double x) { return std::isinf(x) ? 1.0 : 0.0; }},
      {"isfinite", "Isfinite", {"tf.math.is_finite"}, [](double x) { return std::isfinite(x) ? 1.0 : 0.0; }}};
  return all;
}

bool reads(const Function& function, const std::string& name) {
  return name == "torch." + function.name || name == "ops." + function.keras_operator ||
         std::ranges::find(function.other_names, name) != function.other_names.end();
}

const Function& function_of(const Layer& layer) {
  const std::string name = layer.settings.at("function").get<std::string>();
  const auto found = std::ranges::find(functions(), name, &Function::name);
  if (found == functions().end()) throw internal_error("there is no function " + name);
  return *found;
}

void lift(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  const auto found =
      std::ranges::find_if(functions(), [&](const Function& function) { return reads(function, name); });
  if (found == functions().end()) throw internal_error("math_function does not read " + name);
  if (lifter.is_keras()) {
    CallArguments arguments(lifter);
    arguments.take(0, {"x"});
    arguments.finish();
    if (lifter.settings().integer("decimals", 0) != 0)
      lifter.refuse("it rounds to decimals", "multiply before and divide after it");
  }
  Layer layer = lifter.layer("math_function");
  layer.settings = {{"function", found->name}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const Function& function = function_of(lowerer.layer());
  if (lowerer.to_torch()) {
    const std::string name = "torch." + function.name;
    lowerer.add(name, Json::object(), function.torch_call.empty() ? name + "({0})" : function.torch_call);
  } else {
    lowerer.add_node(operator_node(function.module, function.keras_operator, Json::object()));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Function& function = function_of(e.layer);
  Array y = *e.inputs[0];
  for (double& value : y.data) value = function.value(value);
  return {y};
}

}  // namespace

LayerKind math_function() {
  LayerKind kind;
  kind.name = "math_function";
  for (const auto& function : functions()) {
    kind.torch.push_back({"torch." + function.name, Status::exact, ""});
    kind.keras.push_back({"ops." + function.keras_operator, Status::exact, ""});
    for (const auto& name : function.other_names) kind.keras.push_back({name, Status::exact, ""});
    Case test = operator_case("image", function.keras_operator, Json::object(), {{2, 4, 5, 3}});
    test.inputs = function.inputs;
    kind.cases.push_back(std::move(test));
  }
  kind.summary = "y = f(x) for the functions of mathematics that are no activations.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.absorbs_flatten = true;
  return kind;
}

}  // namespace tieout::layers
