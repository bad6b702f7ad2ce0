#include <cmath>
#include <utility>

#include "layers/shared/recurrent.h"

// Long short-term memory.   x: n t f   ->   y: n t u, or n u (the last step)
//
//   i, f, o = sigmoid(kernel x + recurrent_kernel h + bias)   g = tanh(the same)
//   c = f c + i g    h = o tanh(c)
//
// Both frameworks have the gates in the order i, f, g, o (Keras calls g "c"). PyTorch stores two biases of
// which only the sum counts.

namespace tieout {

namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

Json read(Lifter& lifter, const Json& config) {
  if (lifter.is_keras()) {
    require_activation(lifter, config, "activation", "tanh");
    require_activation(lifter, config, "recurrent_activation", "sigmoid");
  }
  return Json::object();
}

void add_parameters(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  const AxisSizes sizes{{"u", part.units}, {"i", part.features}};
  const AxisSizes recurrent_sizes{{"u", part.units}, {"v", part.units}};
  const AxisSizes bias_sizes{{"u", part.units}};
  const bool torch = lifter.is_torch();
  const auto& path = part.keras_path;
  const auto& suffix = part.torch_suffix;
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "kernel", "g{i f g o} u i",
                       {torch ? lifter.term("weight_ih" + suffix, "(g{i f g o} u) i")
                              : lifter.term(part.keras_name + "kernel", "i (g{i f g o} u)", path + "0")},
                       sizes));
  layer.parameters.push_back(lifter.parameter(
      part.prefix + "recurrent_kernel", "g{i f g o} u v",
      {torch ? lifter.term("weight_hh" + suffix, "(g{i f g o} u) v")
             : lifter.term(part.keras_name + "recurrent_kernel", "v (g{i f g o} u)", path + "1")},
      recurrent_sizes));
  std::vector<Term> bias;
  if (part.has_bias && torch) {
    bias = {lifter.term("bias_ih" + suffix, "(g{i f g o} u)"),
            lifter.term("bias_hh" + suffix, "(g{i f g o} u)")};
  } else if (part.has_bias) {
    bias = {lifter.term(part.keras_name + "bias", "(g{i f g o} u)", path + "2")};
  }
  layer.parameters.push_back(lifter.parameter(part.prefix + "bias", "g{i f g o} u", bias, bias_sizes));
}

void write(Lowerer& lowerer, Json& made) {
  if (!lowerer.stores("bias")) made[lowerer.to_torch() ? "bias" : "use_bias"] = false;
}

void step(const RecurrentStep& s) {
  for (std::int64_t k = 0; k < s.units; ++k) {
    const auto gate = [&](std::int64_t g) {
      return s.from_input[g * s.units + k] + s.from_before[g * s.units + k];
    };
    s.c[k] = sigmoid(gate(1)) * s.c[k] + sigmoid(gate(0)) * std::tanh(gate(2));
    s.h[k] = sigmoid(gate(3)) * std::tanh(s.c[k]);
  }
}

bool gate_order(Layer& layer, Framework, const std::vector<Axes>&) {
  return relabel_gates(layer, {"i", "f", "g", "o"}, {"i", "f", "o", "g"});
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

std::vector<Case> torch_cases() {
  const auto torch = Framework::torch;
  return {
      {.name = "batch first",
       .framework = torch,
       .class_name = "LSTM",
       .settings = {{"input_size", 3}, {"hidden_size", 5}, {"batch_first", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "defaults (time first)",
       .framework = torch,
       .class_name = "LSTM",
       .settings = {{"input_size", 3}, {"hidden_size", 5}},
       .input_shapes = {{4, 2, 3}}},
      {.name = "no bias",
       .framework = torch,
       .class_name = "LSTM",
       .settings = {{"input_size", 6}, {"hidden_size", 4}, {"batch_first", true}, {"bias", false}},
       .input_shapes = {{3, 5, 6}}},
      {.name = "two levels",
       .framework = torch,
       .class_name = "LSTM",
       .settings = {{"input_size", 3}, {"hidden_size", 5}, {"num_layers", 2}, {"batch_first", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "bidirectional, two levels, time first",
       .framework = torch,
       .class_name = "LSTM",
       .settings = {{"input_size", 3},
                    {"hidden_size", 5},
                    {"num_layers", 2},
                    {"bidirectional", true},
                    {"dropout", 0.5}},
       .input_shapes = {{4, 2, 3}}},
  };
}

std::vector<Case> keras_cases() {
  const auto keras = Framework::keras;
  return {
      {.name = "defaults (last step)",
       .framework = keras,
       .class_name = "LSTM",
       .settings = {{"units", 5}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "sequence",
       .framework = keras,
       .class_name = "LSTM",
       .settings = {{"units", 4}, {"return_sequences", true}},
       .input_shapes = {{3, 6, 2}}},
      {.name = "no bias",
       .framework = keras,
       .class_name = "LSTM",
       .settings = {{"units", 5}, {"use_bias", false}, {"return_sequences", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "dropouts, no forget bias, unrolled",
       .framework = keras,
       .class_name = "LSTM",
       .settings = {{"units", 5},
                    {"dropout", 0.4},
                    {"recurrent_dropout", 0.3},
                    {"unit_forget_bias", false},
                    {"unroll", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "backwards, sequence",
       .framework = keras,
       .class_name = "LSTM",
       .settings = {{"units", 5}, {"go_backwards", true}, {"return_sequences", true}},
       .input_shapes = {{2, 4, 3}},
       .target_refuses = true},
  };
}

}  // namespace

const RecurrentCell& lstm_cell() {
  static const RecurrentCell cell{"lstm", "LSTM", "LSTM", 4, read, add_parameters, write, step, "[1][0]"};
  return cell;
}

namespace layers {

LayerKind lstm() {
  LayerKind kind = recurrent_kind(lstm_cell());
  const std::string cell = "a single step of a recurrent layer";
  kind.torch.push_back({"LSTMCell", Status::refused, cell});
  for (const char* name : {"LSTMCell", "StackedRNNCells", "RNN"})
    kind.keras.push_back({name, Status::refused, cell});
  for (const char* name : {"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}) {
    kind.keras.push_back({name, Status::refused, "PyTorch has no convolutional LSTM"});
  }
  kind.summary = "Long short-term memory along t of x (n t f): y (n t u) or the last step (n u).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html",
                  "https://keras.io/api/layers/recurrent_layers/lstm/"};
  kind.mistakes = {
      {"gate_order", "the gates stand in the order i, f, o, g instead of i, f, g, o", gate_order},
      {"forgotten_second_bias", "bias_hh was left out; the bias is the sum of bias_ih and bias_hh",
       forgotten_second_bias}};
  kind.cases = torch_cases();
  for (auto& one : keras_cases()) kind.cases.push_back(std::move(one));
  return kind;
}

}  // namespace layers

}  // namespace tieout
