#include <cmath>
#include <utility>

#include "layers/shared/recurrent.h"

// Gated recurrent unit.   x: n t f   ->   y: n t u, or n u (the last step)
//
//   r, z = sigmoid(kernel x + input_bias + recurrent_kernel h + recurrent_bias)
//   n    = tanh(kernel x + input_bias + r (recurrent_kernel h + recurrent_bias))   reset_after
//   n    = tanh(kernel x + input_bias + recurrent_kernel (r h) + recurrent_bias)   otherwise: Keras only
//   h    = (1 - z) n + z h
//
// Gates stand in the order r, z, n in PyTorch and z, r, n in Keras (which calls n "h"). With reset_after the
// two biases do not add up to one: Keras stores them as the rows of one (2, 3 u) tensor.

namespace tieout {

namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

Json read(Lifter& lifter, const Json& config) {
  if (lifter.is_torch()) return {{"reset_after", true}};
  require_activation(lifter, config, "activation", "tanh");
  require_activation(lifter, config, "recurrent_activation", "sigmoid");
  return {{"reset_after", SettingsReader(config, lifter.node().name).flag("reset_after", true)}};
}

void add_biases(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  std::vector<Term> input;
  std::vector<Term> recurrent;
  if (part.has_bias && lifter.is_torch()) {
    input = {lifter.term("bias_ih" + part.torch_suffix, "(g{r z n} u)")};
    recurrent = {lifter.term("bias_hh" + part.torch_suffix, "(g{r z n} u)")};
  } else if (part.has_bias && layer.settings["reset_after"] == true) {
    input = {lifter.term(part.keras_name + "bias", "t{input of input recurrent} (g{z r n} u)",
                         part.keras_path + "2")};
    recurrent = {{input[0].tensor, parse_pattern("t{recurrent of input recurrent} (g{z r n} u)")}};
  } else if (part.has_bias) {
    input = {lifter.term(part.keras_name + "bias", "(g{z r n} u)", part.keras_path + "2")};
  }
  const AxisSizes sizes{{"u", part.units}};
  layer.parameters.push_back(lifter.parameter(part.prefix + "input_bias", "g{r z n} u", input, sizes));
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "recurrent_bias", "g{r z n} u", recurrent, sizes));
}

void add_parameters(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  const bool torch = lifter.is_torch();
  const auto& path = part.keras_path;
  const auto& suffix = part.torch_suffix;
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "kernel", "g{r z n} u i",
                       {torch ? lifter.term("weight_ih" + suffix, "(g{r z n} u) i")
                              : lifter.term(part.keras_name + "kernel", "i (g{z r n} u)", path + "0")},
                       {{"u", part.units}, {"i", part.features}}));
  layer.parameters.push_back(lifter.parameter(
      part.prefix + "recurrent_kernel", "g{r z n} u v",
      {torch ? lifter.term("weight_hh" + suffix, "(g{r z n} u) v")
             : lifter.term(part.keras_name + "recurrent_kernel", "v (g{z r n} u)", path + "1")},
      {{"u", part.units}, {"v", part.units}}));
  add_biases(lifter, layer, part);
}

void write(Lowerer& lowerer, Json& made) {
  const bool reset_after = lowerer.layer().settings["reset_after"] == true;
  if (lowerer.to_torch() && !reset_after) {
    lowerer.refuse(
        "reset_after=False multiplies by the reset gate before the recurrent kernel; PyTorch's GRU does it "
        "after",
        "train the model with reset_after=True, Keras' default");
  }
  if (lowerer.to_keras()) made["reset_after"] = reset_after;
  if (!lowerer.stores("input_bias")) made[lowerer.to_torch() ? "bias" : "use_bias"] = false;
}

void step(const RecurrentStep& s) {
  const std::int64_t u = s.units;
  const bool reset_after = s.layer.settings["reset_after"] == true;
  const auto both = [&](std::int64_t row) { return s.from_input[row] + s.from_before[row]; };
  std::vector<double> candidate(static_cast<std::size_t>(u));
  for (std::int64_t k = 0; k < u; ++k) {
    double recurrent = 0;
    if (reset_after) {
      recurrent = sigmoid(both(k)) * s.from_before[2 * u + k];
    } else {
      recurrent = s.bias[2 * u + k];
      const double* row = s.kernel + (2 * u + k) * u;
      for (std::int64_t j = 0; j < u; ++j) recurrent += row[j] * sigmoid(both(j)) * s.h[j];
    }
    candidate[static_cast<std::size_t>(k)] = std::tanh(s.from_input[2 * u + k] + recurrent);
  }
  for (std::int64_t k = 0; k < u; ++k) {
    const double z = sigmoid(both(u + k));
    s.h[k] = (1 - z) * candidate[static_cast<std::size_t>(k)] + z * s.h[k];
  }
}

bool gate_order(Layer& layer, Framework, const std::vector<Axes>&) {
  return relabel_gates(layer, {"r", "z", "n"}, {"z", "r", "n"});
}

bool bias_order(Layer& layer, Framework, const std::vector<Axes>&) {
  bool changed = false;
  for (const std::string prefix : {"", "reverse_"}) {
    Parameter* input = parameter_named(layer, prefix + "input_bias");
    Parameter* recurrent = parameter_named(layer, prefix + "recurrent_bias");
    if (input == nullptr || recurrent == nullptr || input->terms.empty() || recurrent->terms.empty())
      continue;
    std::swap(input->terms, recurrent->terms);
    changed = true;
  }
  return changed;
}

bool forgotten_second_bias(Layer& layer, Framework, const std::vector<Axes>&) {
  bool changed = false;
  for (const char* name : {"recurrent_bias", "reverse_recurrent_bias"}) {
    Parameter* bias = parameter_named(layer, name);
    if (bias == nullptr || bias->terms.empty()) continue;
    bias->terms.clear();
    changed = true;
  }
  return changed;
}

bool reset_order(Layer& layer, Framework, const std::vector<Axes>&) {
  layer.settings["reset_after"] = layer.settings["reset_after"] != true;
  return true;
}

std::vector<Case> torch_cases() {
  const auto torch = Framework::torch;
  return {
      {.name = "batch first",
       .framework = torch,
       .class_name = "GRU",
       .settings = {{"input_size", 3}, {"hidden_size", 5}, {"batch_first", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "defaults (time first)",
       .framework = torch,
       .class_name = "GRU",
       .settings = {{"input_size", 3}, {"hidden_size", 5}},
       .input_shapes = {{4, 2, 3}}},
      {.name = "no bias",
       .framework = torch,
       .class_name = "GRU",
       .settings = {{"input_size", 6}, {"hidden_size", 4}, {"batch_first", true}, {"bias", false}},
       .input_shapes = {{3, 5, 6}}},
      {.name = "bidirectional, two levels",
       .framework = torch,
       .class_name = "GRU",
       .settings = {{"input_size", 3},
                    {"hidden_size", 5},
                    {"num_layers", 2},
                    {"bidirectional", true},
                    {"batch_first", true}},
       .input_shapes = {{2, 4, 3}}},
  };
}

std::vector<Case> keras_cases() {
  const auto keras = Framework::keras;
  return {
      {.name = "defaults (last step)",
       .framework = keras,
       .class_name = "GRU",
       .settings = {{"units", 5}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "sequence",
       .framework = keras,
       .class_name = "GRU",
       .settings = {{"units", 4}, {"return_sequences", true}},
       .input_shapes = {{3, 6, 2}}},
      {.name = "no bias",
       .framework = keras,
       .class_name = "GRU",
       .settings = {{"units", 5}, {"use_bias", false}, {"return_sequences", true}},
       .input_shapes = {{2, 4, 3}}},
      {.name = "reset before",
       .framework = keras,
       .class_name = "GRU",
       .settings = {{"units", 5}, {"reset_after", false}, {"return_sequences", true}},
       .input_shapes = {{2, 4, 3}},
       .target_refuses = true},
      {.name = "reset before, no bias",
       .framework = keras,
       .class_name = "GRU",
       .settings = {{"units", 5}, {"reset_after", false}, {"use_bias", false}},
       .input_shapes = {{2, 4, 3}},
       .target_refuses = true},
      {.name = "backwards",
       .framework = keras,
       .class_name = "GRU",
       .settings = {{"units", 5}, {"go_backwards", true}},
       .input_shapes = {{2, 4, 3}},
       .target_refuses = true},
  };
}

}  // namespace

const RecurrentCell& gru_cell() {
  static const RecurrentCell cell{"gru", "GRU", "GRU", 3, read, add_parameters, write, step, "[1]"};
  return cell;
}

namespace layers {

LayerKind gru() {
  LayerKind kind = recurrent_kind(gru_cell());
  kind.torch.push_back({"GRUCell", Status::refused, "a single step of a recurrent layer"});
  kind.keras.push_back({"GRUCell", Status::refused, "a single step of a recurrent layer"});
  kind.summary = "Gated recurrent unit along t of x (n t f): y (n t u) or the last step (n u).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html",
                  "https://keras.io/api/layers/recurrent_layers/gru/"};
  kind.mistakes = {
      {"gate_order",
       "the gates r and z stand in the other framework's order (PyTorch r, z, n; Keras z, r, n)", gate_order},
      {"bias_order", "the biases of the input and of the state are swapped", bias_order},
      {"forgotten_second_bias", "the state's bias was left out", forgotten_second_bias},
      {"reset_order", "the reset gate is applied on the other side of the recurrent kernel (reset_after)",
       reset_order}};
  kind.cases = torch_cases();
  for (auto& one : keras_cases()) kind.cases.push_back(std::move(one));
  return kind;
}

}  // namespace layers

}  // namespace tieout
