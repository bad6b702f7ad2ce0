#include <algorithm>
#include <iterator>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_cases.h"
#include "layers/shared/recurrent_gates.h"

// The plain recurrent layer.   x: n t f   ->   y: n t u, or n u (the last step)
//
//   h = f(kernel x + recurrent_kernel h + bias)
//
// f is tanh or relu in PyTorch, anything in Keras. PyTorch stores two biases of which only the sum counts.

namespace tieout {

namespace {

const GateAxis one_gate{};

Json read(Lifter& lifter, const Json& config) {
  if (lifter.is_keras() || lifter.node().class_name.starts_with("tieout.")) return Json::object();
  // An attribute that every version of PyTorch pickles; the argument is "nonlinearity".
  Json function = config.value("nonlinearity", Json("tanh"));
  if (config.contains("mode")) function = config["mode"] == "RNN_RELU" ? "relu" : "tanh";
  if (function != "tanh" && function != "relu") {
    lifter.refuse("its nonlinearity is " + function.dump().substr(0, 60) + ", PyTorch has tanh and relu",
                  "train the model with one of those");
  }
  return {{"activation", function}};
}

void add_parameters(Lifter& lifter, Layer& layer, const RecurrentPart& part) {
  add_kernels(lifter, layer, part, one_gate);
  add_summed_bias(lifter, layer, part, one_gate);
}

void write(Lowerer& lowerer, Json& made, bool own) {
  const Json& function = lowerer.layer().settings["activation"];
  if (lowerer.to_torch() && !own && function != "tanh") made["nonlinearity"] = function;
  if (!lowerer.stores("bias")) made[lowerer.to_torch() ? "bias" : "use_bias"] = false;
}

bool is_plain(const Json& settings) {
  return settings["activation"] == "tanh" || settings["activation"] == "relu";
}

void step(const RecurrentStep& s) {
  for (std::int64_t k = 0; k < s.units; ++k) s.h[k] = s.activation(s.from_input[k] + s.from_before[k]);
}

constexpr const char* python_step = R"(    def step(self, x, h, w_ih, w_hh, b_ih=None, b_hh=None):
        total = F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)
        return (self.function(self.activation, total),)
)";

// The recurrent kernel is square: it looks the same either way.
bool not_transposed(Layer& layer, Framework framework, const std::vector<Axes>& inputs) {
  Parameter* kernel = parameter_named(layer, "recurrent_kernel");
  if (kernel == nullptr || is_one_step(layer, inputs)) return false;
  for (auto& term : kernel->terms)
    term.pattern = parse_pattern(framework == Framework::torch ? "v u" : "u v");
  return true;
}

}  // namespace

const RecurrentCell& simple_rnn_cell() {
  static const RecurrentCell cell{"simple_rnn",   "RNN", "SimpleRNN", 1,    1,           false, read,
                                  add_parameters, write, is_plain,    step, python_step, {}};
  return cell;
}

namespace layers {

LayerKind simple_rnn() {
  LayerKind kind = recurrent_kind(simple_rnn_cell());
  kind.summary = "Plain recurrent layer along t of x (n t f): y (n t u) or the last step (n u).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html",
                  "https://keras.io/api/layers/recurrent_layers/simple_rnn/"};
  kind.mistakes = {
      forgotten_second_bias(),
      {"not_transposed", "the recurrent kernel stands as the other framework has it", not_transposed},
      wrong_direction()};
  std::ranges::copy(mistakes_of_both_ways(), std::back_inserter(kind.mistakes));
  kind.cases = recurrent_cases(simple_rnn_cell());
  kind.cases.push_back({.name = "relu, two levels, bidirectional",
                        .framework = Framework::torch,
                        .class_name = "RNN",
                        .settings = {{"input_size", 3},
                                     {"hidden_size", 5},
                                     {"nonlinearity", "relu"},
                                     {"num_layers", 2},
                                     {"bidirectional", true},
                                     {"batch_first", true}},
                        .input_shapes = {{2, 4, 3}}});
  kind.cases.push_back({.name = "relu, sequence",
                        .framework = Framework::keras,
                        .class_name = "SimpleRNN",
                        .settings = {{"units", 5}, {"activation", "relu"}, {"return_sequences", true}},
                        .input_shapes = {{2, 4, 3}}});
  return kind;
}

}  // namespace layers

}  // namespace tieout
