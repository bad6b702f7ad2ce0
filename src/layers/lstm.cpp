#include <algorithm>
#include <iterator>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_cases.h"
#include "layers/shared/recurrent_gates.h"

// Long short-term memory.   x: n t f   ->   y: n t u, or n u (the last step)
//
//   i, f, o = sigmoid(kernel x + recurrent_kernel h + bias)   g = tanh(the same)
//   c = f c + i g    h = o tanh(c)
//
// Both frameworks have the gates in the order i, f, g, o (Keras calls g "c"). PyTorch stores two biases of
// which only the sum counts. Keras can have other functions in the place of sigmoid and tanh.

namespace tieout {

namespace {

const GateAxis gates{"g{i f g o}", "g{i f g o}"};

void add_parameters(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  add_kernels(lifter, layer, part, gates);
  add_summed_bias(lifter, layer, part, gates);
}

void write(Lowerer& lowerer, Json& made, bool) {
  if (!lowerer.stores("bias")) made[lowerer.to_torch() ? "bias" : "use_bias"] = false;
}

bool is_plain(const Json& settings) {
  return settings["activation"] == "tanh" && settings["recurrent_activation"] == "sigmoid";
}

void step(const RecurrentStep& s) {
  for (std::int64_t k = 0; k < s.units; ++k) {
    const auto gate = [&](std::int64_t g) {
      return s.from_input[g * s.units + k] + s.from_before[g * s.units + k];
    };
    s.c[k] =
        s.recurrent_activation(gate(1)) * s.c[k] + s.recurrent_activation(gate(0)) * s.activation(gate(2));
    s.h[k] = s.recurrent_activation(gate(3)) * s.activation(s.c[k]);
  }
}

constexpr const char* python_step = R"(    def step(self, x, h, c, w_ih, w_hh, b_ih=None, b_hh=None):
        gates = F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)
        i, f, g, o = gates.chunk(4, dim=-1)
        i, f, o = (self.function(self.recurrent_activation, v) for v in (i, f, o))
        c = f * c + i * self.function(self.activation, g)
        return o * self.function(self.activation, c), c
)";

bool gate_order(Layer& layer, Framework, const std::vector<Axes>&) {
  return relabel_gates(layer, {"i", "f", "g", "o"}, {"i", "f", "o", "g"});
}

}  // namespace

const RecurrentCell& lstm_cell() {
  static const RecurrentCell cell{"lstm",
                                  "LSTM",
                                  "LSTM",
                                  4,
                                  2,
                                  true,
                                  [](Lifter&, const Json&) { return Json::object(); },
                                  add_parameters,
                                  write,
                                  is_plain,
                                  step,
                                  python_step,
                                  {}};
  return cell;
}

namespace layers {

LayerKind lstm() {
  LayerKind kind = recurrent_kind(lstm_cell());
  kind.summary = "Long short-term memory along t of x (n t f): y (n t u) or the last step (n u).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html",
                  "https://keras.io/api/layers/recurrent_layers/lstm/"};
  kind.mistakes = {
      {"gate_order", "the gates stand in the order i, f, o, g instead of i, f, g, o", gate_order},
      forgotten_second_bias(),
      wrong_direction()};
  std::ranges::copy(mistakes_of_both_ways(), std::back_inserter(kind.mistakes));
  kind.cases = recurrent_cases(lstm_cell());
  kind.cases.push_back({.name = "no forget bias",
                        .framework = Framework::keras,
                        .class_name = "LSTM",
                        .settings = {{"units", 5}, {"unit_forget_bias", false}},
                        .input_shapes = {{2, 4, 3}}});
  return kind;
}

}  // namespace layers

}  // namespace tieout
