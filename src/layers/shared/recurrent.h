// What the kinds that step along time share; lstm, gru and simple_rnn are made of this.
//
//   x: n t f   kernel: g u i   recurrent_kernel: g u v   biases: g u   ->   y: n t u, or n u (the last step)
//
// g are the gates, u the units, v the units of the step before. A direction of its own ("both") has its
// parameters again, named reverse_kernel and so on.
//
// Inputs: x; then, where the setting says so, the mask (n t, 0 where a step is skipped) and the initial
// states (n u each: h, or h and c; of the direction "both" first the forward ones). Outputs: y, or two of
// them (merge "none"); then, where the setting says so, the last states in the same order.
//
// Settings of the layer:
//   units
//   direction    "forward", "backward", "both". "backward" gives its steps in the order in which it computes
//                them, the last of x first; "both" gives them in the order of x, and as "last" each
//                direction's own last step.
//   returns      "sequence", "last"
//   merge        "concat" (the backward one's output behind the forward one's), "sum", "mul", "ave", "none"
//   mask, initial, states   whether there are such inputs and outputs
//   zero_masked  whether y is 0 at a skipped step, or what it was at the step before
//   activation, recurrent_activation   names as in recurrent_functions.h
// and the kind's own.
#pragma once

#include <functional>
#include <optional>
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
  double (*activation)(double);
  double (*recurrent_activation)(double);
  double* h;  // the state, replaced
  double* c;  // the LSTM's cell, replaced
};

// What a kind says of its cell.
struct RecurrentCell {
  std::string kind;         // "lstm"
  std::string torch_class;  // "LSTM"
  std::string keras_class;
  std::size_t gates = 1;
  std::size_t states = 1;            // 2: h and c
  bool recurrent_activation = true;  // whether there is such a function beside the activation
  // Settings of the layer beyond the common ones; refuses what has no place.
  std::function<Json(Lifter&, const Json& config)> read;
  std::function<void(Lifter&, Layer&, const RecurrentPart&)> add_parameters;
  // Constructor arguments beyond the common ones, for the target's class or tieout's own.
  std::function<void(Lowerer&, Json&, bool own)> write;
  // Whether torch.nn's class computes this: functions and gates, not masks.
  std::function<bool(const Json& settings)> is_plain;
  std::function<void(const RecurrentStep&)> step;
  std::string python_step;  // the method `step` of the class "tieout.Stepwise...", as Python source
  std::string python_flag;  // a further argument of that class, True unless given; may be empty

  [[nodiscard]] std::string own_class() const { return "tieout.Stepwise" + torch_class; }
};

// The cells, each in its kind's file.
const RecurrentCell& lstm_cell();
const RecurrentCell& gru_cell();
const RecurrentCell& simple_rnn_cell();
std::vector<const RecurrentCell*> recurrent_cells();

// The kind with everything but summary, mistakes and cases.
LayerKind recurrent_kind(const RecurrentCell& cell);

// One layer of a node, before it is added.
struct RecurrentLevel {
  const RecurrentCell* cell = nullptr;
  Json settings = Json::object();
  bool has_bias = true;
  std::vector<RecurrentPart> parts;
  std::optional<int> input;  // the value that it takes, where it is not what was made last
};

// Adds the levels one behind the other. `order`: where n t f lie in the input.
void add_recurrent_levels(Lifter& lifter, const std::vector<RecurrentLevel>& levels,
                          const std::vector<int>& order);
// Refuses sizes that no network has.
std::int64_t checked_units(std::int64_t units);

// PyTorch's LSTM, GRU, RNN with all their levels and directions; the classes of tieout; Keras' LSTM, GRU,
// SimpleRNN.
void lift_recurrent(Lifter& lifter, const RecurrentCell& cell);
void lift_keras_recurrent(Lifter& lifter, const RecurrentCell& cell);
// Keras' Bidirectional around one of them, and RNN around one or more cells.
void lift_bidirectional(Lifter& lifter);
void lift_cells(Lifter& lifter);

void lower_recurrent_to_torch(Lowerer& lowerer, const RecurrentCell& cell);
void lower_recurrent_to_keras(Lowerer& lowerer, const RecurrentCell& cell);
// The Python source of cell.own_class().
std::string recurrent_definition(const RecurrentCell& cell);

std::vector<Array> compute_recurrent(const Evaluation& evaluation, const RecurrentCell& cell);

// Tells the kind of a group of tensors by rows of the recurrent kernel per unit: 4 LSTM, 3 GRU, 1 RNN.
std::optional<FrameworkNode> recognise_recurrent(const RecurrentCell& cell, Framework framework,
                                                 const std::vector<std::pair<std::string, Shape>>& tensors);

}  // namespace tieout
