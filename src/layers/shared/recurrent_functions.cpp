#include "layers/shared/recurrent_functions.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "tieout/error.h"

namespace tieout {

namespace {

// Keras 2's hard_sigmoid, which neither Keras 3 nor PyTorch has.
constexpr const char* keras2_hard_sigmoid = "keras2_hard_sigmoid";

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

double hard_sigmoid(double x) {
  return std::clamp(x / 6 + 0.5, 0.0, 1.0);
}

double elu(double x) {
  return x > 0 ? x : std::expm1(x);
}

// https://arxiv.org/abs/1706.02515
double selu(double x) {
  return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * std::expm1(x));
}

const std::vector<RecurrentFunction>& functions() {
  static const std::vector<RecurrentFunction> all{
      {"tanh", "tanh", [](double x) { return std::tanh(x); }},
      {"sigmoid", "sigmoid", sigmoid},
      {"relu", "relu", [](double x) { return std::max(x, 0.0); }},
      {"linear", "linear", [](double x) { return x; }},
      {"hard_sigmoid", "hardsigmoid", hard_sigmoid},
      {keras2_hard_sigmoid, keras2_hard_sigmoid,
       [](double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); }},
      {"elu", "elu", elu},
      {"celu", "celu", elu},
      {"selu", "selu", selu},
      {"exponential", "exp", [](double x) { return std::exp(x); }},
      {"gelu", "gelu", [](double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); }},
      {"hard_silu", "hardswish", [](double x) { return x * hard_sigmoid(x); }},
      {"hard_tanh", "hardtanh", [](double x) { return std::clamp(x, -1.0, 1.0); }},
      {"log_sigmoid", "logsigmoid", [](double x) { return -softplus(-x); }},
      {"mish", "mish", [](double x) { return x * std::tanh(softplus(x)); }},
      {"relu6", "relu6", [](double x) { return std::clamp(x, 0.0, 6.0); }},
      {"silu", "silu", [](double x) { return x * sigmoid(x); }},
      {"softplus", "softplus", softplus},
      {"softsign", "softsign", [](double x) { return x / (1 + std::abs(x)); }},
      {"tanh_shrink", "tanhshrink", [](double x) { return x - std::tanh(x); }},
  };
  return all;
}

// null, "relu", or {"class_name": "function", "config": "relu"}.
std::string name_of(const Json& function) {
  if (function.is_null()) return "linear";
  Json name = function;
  if (function.is_object()) {
    name = function.value("class_name", Json()) == "function" ? function.value("config", Json()) : Json();
  }
  if (!name.is_string()) return {};
  if (name == "swish") return "silu";
  if (name == "hard_swish") return "hard_silu";
  return name.get<std::string>();
}

}  // namespace

std::string read_recurrent_function(Lifter& lifter, const Json& config, const std::string& setting,
                                    const std::string& otherwise) {
  if (!config.contains(setting)) return otherwise;
  const std::string name = name_of(config[setting]);
  if (name == "hard_sigmoid" && lifter.keras_major() < 3) return keras2_hard_sigmoid;
  if (std::ranges::find(functions(), name, &RecurrentFunction::name) == functions().end()) {
    lifter.refuse("its " + setting + " is " + config[setting].dump().substr(0, 60) +
                      ", which is not carried inside a recurrent layer",
                  "train the model with a function of each number on its own, such as tanh or relu");
  }
  return name;
}

const RecurrentFunction& recurrent_function(const std::string& name) {
  const auto found = std::ranges::find(functions(), name, &RecurrentFunction::name);
  if (found == functions().end()) throw internal_error("no recurrent function " + name);
  return *found;
}

const RecurrentFunction& recurrent_function_of_torch(const std::string& name) {
  const auto found = std::ranges::find(functions(), name, &RecurrentFunction::torch);
  if (found == functions().end()) throw malformed("the function " + name + " is not known");
  return *found;
}

std::string recurrent_functions_python() {
  return R"(    @staticmethod
    def function(name, x):
        """One of torch.nn.functional, or one that is not there."""
        if name == "linear":
            return x
        if name == "exp":
            return torch.exp(x)
        if name == "keras2_hard_sigmoid":
            return (0.2 * x + 0.5).clamp(0.0, 1.0)
        return getattr(F, name)(x)
)";
}

}  // namespace tieout
