// What the kinds that step along time share; lstm, gru and simple_rnn are made of this.
//
//   x: n t f   kernel: g u i   recurrent_kernel: g u v   biases: g u   ->   y: n t u, or n u (the last step)
//
// g are the gates, u the units, v the units of the step before. A direction of its own ("both") has its
// parameters again, named reverse_kernel and so on; its output stands behind the forward one's along the last
// axis. Settings of the layer: units; direction ("forward", "backward", "both"); returns ("sequence",
// "last"); and the kind's own. "backward" gives its steps in the order in which it computes them, the last of
// x first; "both" gives them in the order of x, and as "last" each direction's own last step.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Where the parameters of one direction of one level lie.
struct RecurrentPart {
  std::string prefix;        // of the parameters' names: "" or "reverse_"
  std::string torch_suffix;  // "_l0", "_l1_reverse"
  std::string keras_path;    // "cell/vars/", "forward_layer/cell/vars/"
  std::string keras_name;    // before the variables' names: "", "forward_layer/"
  std::int64_t units = 0;
  std::int64_t features = unknown;
  bool has_bias = true;
};

// One direction at one step. Rows of products are gate by gate: [g * units + k].
struct RecurrentStep {
  const Layer& layer;
  std::int64_t units;
  const double* from_input;   // kernel x + input bias
  const double* from_before;  // recurrent_kernel h + recurrent bias
  const double* kernel;       // the recurrent kernel, g u v
  const double* bias;         // the recurrent bias, g u
  double* h;                  // the state, replaced
  double* c;                  // the LSTM's cell, replaced
};

// What a kind says of its cell.
struct RecurrentCell {
  std::string kind;         // "lstm"
  std::string torch_class;  // "LSTM"
  std::string keras_class;
  std::size_t gates = 1;
  // Settings of the layer beyond the common ones; refuses what has no place.
  std::function<Json(Lifter&, const Json& config)> read;
  std::function<void(Lifter&, Layer&, const RecurrentPart&)> add_parameters;
  // Constructor arguments beyond the common ones, for the target.
  std::function<void(Lowerer&, Json&)> write;
  std::function<void(const RecurrentStep&)> step;
  std::string torch_last_state;  // h_n in the tuple that the module returns: "[1][0]" (LSTM), "[1]"
};

// The cells, each in its kind's file.
const RecurrentCell& lstm_cell();
const RecurrentCell& gru_cell();
const RecurrentCell& simple_rnn_cell();

// The kind with everything but summary, mistakes and cases.
LayerKind recurrent_kind(const RecurrentCell& cell);

// PyTorch's LSTM, GRU, RNN with all their levels and directions; Keras' LSTM, GRU, SimpleRNN.
void lift_recurrent(Lifter& lifter, const RecurrentCell& cell);
// Keras' Bidirectional around one of them.
void lift_bidirectional(Lifter& lifter);

std::vector<Array> compute_recurrent(const Evaluation& evaluation, const RecurrentCell& cell);

// Tells the kind of a group of tensors by rows of the recurrent kernel per unit: 4 LSTM, 3 GRU, 1 RNN.
std::optional<FrameworkNode> recognise_recurrent(const RecurrentCell& cell, Framework framework,
                                                 const std::vector<std::pair<std::string, Shape>>& tensors);

// Keras' setting must be this function: refused by name otherwise.
void require_activation(Lifter& lifter, const Json& config, const std::string& setting,
                        const std::string& function);

// For mistakes: the terms' patterns with the labels of the gates in another order, in every parameter.
bool relabel_gates(Layer& layer, const std::vector<std::string>& own, const std::vector<std::string>& other);

// The parameter of that name, or nullptr.
Parameter* parameter_named(Layer& layer, const std::string& name);

}  // namespace tieout
