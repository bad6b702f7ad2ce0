#include <algorithm>
#include <cmath>

#include "layers/shared/recurrent.h"

// The plain recurrent layer.   x: n t f   ->   y: n t u, or n u (the last step)
//
//   h = tanh or relu(kernel x + recurrent_kernel h + bias)
//
// PyTorch stores two biases of which only the sum counts.

namespace tieout {

namespace {

Json read(Lifter& lifter, const Json& config) {
  const std::string setting = lifter.is_torch() ? "nonlinearity" : "activation";
  Json function = config.value(setting, Json("tanh"));
  // An attribute that every version of PyTorch pickles.
  if (lifter.is_torch() && config.contains("mode")) function = config["mode"] == "RNN_RELU" ? "relu" : "tanh";
  if (function != "tanh" && function != "relu") {
    lifter.refuse("its " + setting + " is " + function.dump().substr(0, 60) + ", PyTorch has tanh and relu",
                  "train the model with one of those");
  }
  return {{"activation", function}};
}

void add_parameters(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  const bool torch = lifter.is_torch();
  const auto& path = part.keras_path;
  const auto& suffix = part.torch_suffix;
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "kernel", "u i",
                       {torch ? lifter.term("weight_ih" + suffix, "u i")
                              : lifter.term(part.keras_name + "kernel", "i u", path + "0")},
                       {{"u", part.units}, {"i", part.features}}));
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "recurrent_kernel", "u v",
                       {torch ? lifter.term("weight_hh" + suffix, "u v")
                              : lifter.term(part.keras_name + "recurrent_kernel", "v u", path + "1")},
                       {{"u", part.units}, {"v", part.units}}));
  std::vector<Term> bias;
  if (part.has_bias && torch) {
    bias = {lifter.term("bias_ih" + suffix, "u"), lifter.term("bias_hh" + suffix, "u")};
  } else if (part.has_bias) {
    bias = {lifter.term(part.keras_name + "bias", "u", path + "2")};
  }
  layer.parameters.push_back(lifter.parameter(part.prefix + "bias", "u", bias, {{"u", part.units}}));
}

void write(Lowerer& lowerer, Json& made) {
  const Json& function = lowerer.layer().settings["activation"];
  if (lowerer.to_keras()) made["activation"] = function;
  if (lowerer.to_torch() && function != "tanh") made["nonlinearity"] = function;
  if (!lowerer.stores("bias")) made[lowerer.to_torch() ? "bias" : "use_bias"] = false;
}

void step(const RecurrentStep& s) {
  const bool relu = s.layer.settings["activation"] == "relu";
  for (std::int64_t k = 0; k < s.units; ++k) {
    const double sum = s.from_input[k] + s.from_before[k];
    s.h[k] = relu ? std::max(sum, 0.0) : std::tanh(sum);
  }
}

bool forgotten_second_bias(Layer& layer, Framework, const std::vector<Axes>&) {
  bool changed = false;
  for (const char* name : {"bias", "reverse_bias"}) {
    Parameter* bias = parameter_named(layer, name);
    if (bias == nullptr || bias->terms.size() < 2) continue;
    bias->terms.resize(1);
    changed = true;
  }
  return changed;
}

// The recurrent kernel is square: it looks the same either way.
bool not_transposed(Layer& layer, Framework framework, const std::vector<Axes>&) {
  Parameter* kernel = parameter_named(layer, "recurrent_kernel");
  if (kernel == nullptr) return false;
  for (auto& term : kernel->terms)
    term.pattern = parse_pattern(framework == Framework::torch ? "v u" : "u v");
  return true;
}

std::vector<Case> cases() {
  const auto torch = Framework::torch;
  const auto keras = Framework::keras;
  return {
      {.name = "defaults (time first)",
       .framework = torch,
       .class_name = "RNN",
       .settings = {{"input_size", 3}, {"hidden_size", 5}},
       .input_shapes = {{4, 2, 3}}},
      {.name = "relu, bidirectional, two levels",
       .framework = torch,
       .class_name = "RNN",
       .settings = {{"input_size", 3},
                    {"hidden_size", 5},
                    {"nonlinearity", "relu"},
                    {"num_layers", 2},
                    {"bidirectional", true},
                    {"batch_first", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "no bias",
       .framework = torch,
       .class_name = "RNN",
       .settings = {{"input_size", 3}, {"hidden_size", 5}, {"bias", false}, {"batch_first", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "defaults (last step)",
       .framework = keras,
       .class_name = "SimpleRNN",
       .settings = {{"units", 5}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "relu, sequence",
       .framework = keras,
       .class_name = "SimpleRNN",
       .settings = {{"units", 5}, {"activation", "relu"}, {"return_sequences", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "backwards",
       .framework = keras,
       .class_name = "SimpleRNN",
       .settings = {{"units", 5}, {"go_backwards", true}},
       .input_shapes = {{2, 4, 3}},
       .target_refuses = true},
  };
}

}  // namespace

const RecurrentCell& simple_rnn_cell() {
  static const RecurrentCell cell{"simple_rnn",   "RNN", "SimpleRNN", 1,    read,
                                  add_parameters, write, step,        "[1]"};
  return cell;
}

namespace layers {

LayerKind simple_rnn() {
  LayerKind kind = recurrent_kind(simple_rnn_cell());
  kind.torch.push_back({"RNNCell", Status::refused, "a single step of a recurrent layer"});
  kind.keras.push_back({"SimpleRNNCell", Status::refused, "a single step of a recurrent layer"});
  kind.summary = "Plain recurrent layer along t of x (n t f): y (n t u) or the last step (n u).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html",
                  "https://keras.io/api/layers/recurrent_layers/simple_rnn/"};
  kind.mistakes = {
      {"forgotten_second_bias", "bias_hh was left out; the bias is the sum of bias_ih and bias_hh",
       forgotten_second_bias},
      {"not_transposed", "the recurrent kernel stands as the other framework has it", not_transposed}};
  kind.cases = cases();
  return kind;
}

}  // namespace layers

}  // namespace tieout
