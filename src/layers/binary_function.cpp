#include <algorithm>
#include <cmath>

#include "layers/shared/merge.h"
#include "layers/shared/mistakes.h"

// y = f(a, b) for two tensors, or a tensor and a number, where no layer of Keras does it: quotients, powers,
// comparisons. Truth values count as 0 and 1.
//
// Setting "function": its name below.

namespace tieout::layers {

namespace {

double floor_modulo(double left, double right) {
  return left - std::floor(left / right) * right;
}

Merge form(const std::string& name, const std::string& keras_operator, const std::string& torch_function,
           double (*join)(double, double)) {
  Merge made;
  made.name = name;
  made.keras_operator = keras_operator;
  made.torch_function = torch_function;
  made.torch_call = prefix(torch_function);
  made.join = join;
  made.tensors_only = true;
  return made;
}

Merge written(Merge made, const std::string& sign, const std::vector<std::string>& tensorflow) {
  made.tensors_only = false;
  made.torch_call = infix(sign);
  made.tensorflow = tensorflow;
  return made;
}

// `ruff format` leaves no spaces around a power of plain names and numbers.
std::string power_text(const std::string& left, const std::string& right) {
  const bool plain = left.find('(') == std::string::npos && right.find('(') == std::string::npos;
  return left + (plain ? "**" : " ** ") + right;
}

Merge power() {
  Merge made = written(form("power", "Power", "torch.pow", [](double a, double b) { return std::pow(a, b); }),
                       "**", {"tf.math.pow"});
  made.torch_call = power_text;
  return made;
}

std::vector<Merge> forms() {
  std::vector<Merge> all = {
      written(form("divide", "TrueDivide", "torch.div", [](double a, double b) { return a / b; }), "/",
              {"tf.math.truediv", "tf.math.divide", "ops.Divide"}),
      written(form("floor_divide", "FloorDivide", "torch.floor_divide",
                   [](double a, double b) { return std::floor(a / b); }),
              "//", {"tf.math.floordiv"}),
      written(form("modulo", "Mod", "torch.remainder", floor_modulo), "%",
              {"tf.math.floormod", "ops.Remainder"}),
      power(),
      written(form("equal", "Equal", "torch.eq", [](double a, double b) { return a == b ? 1.0 : 0.0; }),
              "==", {"tf.math.equal"}),
      written(
          form("not_equal", "NotEqual", "torch.ne", [](double a, double b) { return a != b ? 1.0 : 0.0; }),
          "!=", {"tf.math.not_equal"}),
      written(form("greater", "Greater", "torch.gt", [](double a, double b) { return a > b ? 1.0 : 0.0; }),
              ">", {"tf.math.greater"}),
      written(form("greater_equal", "GreaterEqual", "torch.ge",
                   [](double a, double b) { return a >= b ? 1.0 : 0.0; }),
              ">=", {"tf.math.greater_equal"}),
      written(form("less", "Less", "torch.lt", [](double a, double b) { return a < b ? 1.0 : 0.0; }), "<",
              {"tf.math.less"}),
      written(
          form("less_equal", "LessEqual", "torch.le", [](double a, double b) { return a <= b ? 1.0 : 0.0; }),
          "<=", {"tf.math.less_equal"}),
      form("arctan2", "Arctan2", "torch.atan2", [](double a, double b) { return std::atan2(a, b); }),
      form("logical_and", "LogicalAnd", "torch.logical_and",
           [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }),
      form("logical_or", "LogicalOr", "torch.logical_or",
           [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }),
      form("logical_xor", "LogicalXor", "torch.logical_xor",
           [](double a, double b) { return (a != 0) != (b != 0) ? 1.0 : 0.0; })};
  return all;
}

bool is_symmetric(const std::string& function) {
  return function.ends_with("equal") ? !function.starts_with("greater") && !function.starts_with("less")
                                     : function.starts_with("logical_");
}

}  // namespace

LayerKind binary_function() {
  LayerKind kind = merge_kind("binary_function", forms());
  kind.summary =
      "y = f(a, b): quotients, powers, comparisons and logic of two tensors or a tensor and a number.";
  for (const auto& one : forms()) {
    for (Case& made : merge_operator_cases(one, one.name == "power")) kind.cases.push_back(std::move(made));
  }
  Mistake reversed = reversed_inputs_mistake("f(b, a) is computed instead of f(a, b)");
  reversed.mutate = [reverse = reversed.mutate](Layer& layer, Framework framework,
                                                const std::vector<Axes>& inputs) {
    return !is_symmetric(layer.settings["function"].get<std::string>()) && reverse(layer, framework, inputs);
  };
  kind.mistakes = {std::move(reversed)};
  return kind;
}

}  // namespace tieout::layers
