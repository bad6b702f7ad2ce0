#include <utility>

#include <algorithm>
#include <iterator>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_cases.h"
#include "layers/shared/recurrent_gates.h"

// Gated recurrent unit.   x: n t f   ->   y: n t u, or n u (the last step)
//
//   r, z = sigmoid(kernel x + input_bias + recurrent_kernel h + recurrent_bias)
//   n    = tanh(kernel x + input_bias + r (recurrent_kernel h + recurrent_bias))   reset_after
//   n    = tanh(kernel x + input_bias + recurrent_kernel (r h) + recurrent_bias)   otherwise: Keras only
//   h    = (1 - z) n + z h
//
// Gates stand in the order r, z, n in PyTorch and z, r, n in Keras (which calls n "h"). With reset_after the
// two biases do not add up to one: Keras stores them as the rows of one (2, 3 u) tensor. Keras can have other
// functions in the place of sigmoid and tanh.

namespace tieout {

namespace {

const GateAxis gates{"g{r z n}", "g{z r n}"};

Json read(Lifter& lifter, const Json& config) {
  const SettingsReader given(config, lifter.node().name);
  // Keras 2.0 did not have the setting and computed what is now reset_after=False.
  const bool otherwise = lifter.is_torch() || lifter.keras_major() >= 3;
  return {{"reset_after", given.flag("reset_after", otherwise)}};
}

// Only with reset_after does it matter which bias is whose.
void add_two_biases(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  std::vector<Term> input;
  std::vector<Term> recurrent;
  if (part.has_bias && lifter.is_torch()) {
    input = {lifter.term("bias_ih" + part.torch_suffix, "(g{r z n} u)")};
    recurrent = {lifter.term("bias_hh" + part.torch_suffix, "(g{r z n} u)")};
  } else if (part.has_bias) {
    input = {lifter.term(part.keras_name + "bias", "t{input of input recurrent} (g{z r n} u)",
                         part.keras_path + "2")};
    recurrent = {{input[0].tensor, parse_pattern("t{recurrent of input recurrent} (g{z r n} u)")}};
  }
  const AxisSizes sizes{{"u", part.units}};
  layer.parameters.push_back(lifter.parameter(part.prefix + "input_bias", "g{r z n} u", input, sizes));
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "recurrent_bias", "g{r z n} u", recurrent, sizes));
}

void add_parameters(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  add_kernels(lifter, layer, part, gates);
  if (layer.settings["reset_after"] == true) {
    add_two_biases(lifter, layer, part);
  } else {
    add_summed_bias(lifter, layer, part, gates);
  }
}

bool is_plain(const Json& settings) {
  return settings["activation"] == "tanh" && settings["recurrent_activation"] == "sigmoid" &&
         settings["reset_after"] == true;
}

void write(Lowerer& lowerer, Json& made, bool) {
  const bool reset_after = lowerer.layer().settings["reset_after"] == true;
  if (lowerer.to_keras() || !reset_after) made["reset_after"] = reset_after;
  if (!lowerer.stores(reset_after ? "input_bias" : "bias"))
    made[lowerer.to_torch() ? "bias" : "use_bias"] = false;
}

void step(const RecurrentStep& s) {
  const std::int64_t u = s.units;
  const bool reset_after = s.layer.settings["reset_after"] == true;
  const auto both = [&](std::int64_t row) { return s.from_input[row] + s.from_before[row]; };
  std::vector<double> candidate(static_cast<std::size_t>(u));
  for (std::int64_t k = 0; k < u; ++k) {
    double recurrent = 0;
    if (reset_after) {
      recurrent = s.recurrent_activation(both(k)) * s.from_before[2 * u + k];
    } else {
      recurrent = s.bias[2 * u + k];
      const double* row = s.kernel + (2 * u + k) * u;
      for (std::int64_t j = 0; j < u; ++j) recurrent += row[j] * s.recurrent_activation(both(j)) * s.h[j];
    }
    candidate[static_cast<std::size_t>(k)] = s.activation(s.from_input[2 * u + k] + recurrent);
  }
  for (std::int64_t k = 0; k < u; ++k) {
    const double z = s.recurrent_activation(both(u + k));
    s.h[k] = (1 - z) * candidate[static_cast<std::size_t>(k)] + z * s.h[k];
  }
}

constexpr const char* python_step = R"(    def step(self, x, h, w_ih, w_hh, b_ih=None, b_hh=None):
        r, z, n = F.linear(x, w_ih, b_ih).chunk(3, dim=-1)
        r_h, z_h, n_h = F.linear(h, w_hh, b_hh).chunk(3, dim=-1)
        r = self.function(self.recurrent_activation, r + r_h)
        z = self.function(self.recurrent_activation, z + z_h)
        if self.reset_after:
            n = n + r * n_h
        else:
            b_n = None if b_hh is None else b_hh.chunk(3)[2]
            n = n + F.linear(r * h, w_hh.chunk(3)[2], b_n)
        n = self.function(self.activation, n)
        return ((1 - z) * n + z * h,)
)";

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

bool forgotten_recurrent_bias(Layer& layer, Framework, const std::vector<Axes>&) {
  bool changed = false;
  for (const char* name : {"recurrent_bias", "reverse_recurrent_bias"}) {
    Parameter* bias = parameter_named(layer, name);
    if (bias == nullptr || bias->terms.empty()) continue;
    bias->terms.clear();
    changed = true;
  }
  return changed;
}

bool reset_order(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const Parameter* bias = parameter_named(layer, "recurrent_bias");
  if (is_one_step(layer, inputs) && (bias == nullptr || bias->terms.empty())) return false;
  layer.settings["reset_after"] = layer.settings["reset_after"] != true;
  return true;
}

}  // namespace

const RecurrentCell& gru_cell() {
  static const RecurrentCell cell{"gru",          "GRU", "GRU",    3,    1,           true,         read,
                                  add_parameters, write, is_plain, step, python_step, "reset_after"};
  return cell;
}

namespace layers {

LayerKind gru() {
  LayerKind kind = recurrent_kind(gru_cell());
  kind.summary = "Gated recurrent unit along t of x (n t f): y (n t u) or the last step (n u).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html",
                  "https://keras.io/api/layers/recurrent_layers/gru/"};
  kind.mistakes = {
      {"gate_order",
       "the gates r and z stand in the other framework's order (PyTorch r, z, n; Keras z, r, n)", gate_order},
      {"bias_order", "the biases of the input and of the state are swapped", bias_order},
      {"forgotten_second_bias", "the state's bias was left out", forgotten_recurrent_bias},
      {"reset_order", "the reset gate is applied on the other side of the recurrent kernel (reset_after)",
       reset_order},
      wrong_direction()};
  std::ranges::copy(mistakes_of_both_ways(), std::back_inserter(kind.mistakes));
  kind.cases = recurrent_cases(gru_cell());
  const auto reset_before = [](const std::string& name, Json settings) {
    settings.update({{"units", 5}, {"reset_after", false}});
    return Case{.name = name,
                .framework = Framework::keras,
                .class_name = "GRU",
                .settings = std::move(settings),
                .input_shapes = {{2, 4, 3}}};
  };
  kind.cases.push_back(reset_before("reset before", {{"return_sequences", true}}));
  kind.cases.push_back(reset_before("reset before, no bias", {{"use_bias", false}}));
  kind.cases.push_back(
      reset_before("reset before, relu, states", {{"activation", "relu"}, {"return_state", true}}));
  return kind;
}

}  // namespace layers

}  // namespace tieout
