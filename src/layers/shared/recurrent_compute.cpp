#include <algorithm>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_functions.h"

namespace tieout {

namespace {

std::size_t index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// rows[r] = bias[r] + sum_j matrix[r, j] x[j]
void multiply(const Array& matrix, const Array& bias, const double* x, std::int64_t width,
              std::vector<double>& rows) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double* weights = matrix.data.data() + r * index(width);
    double sum = bias.data[r];
    for (std::int64_t j = 0; j < width; ++j) sum += weights[j] * x[j];
    rows[r] = sum;
  }
}

// One direction's tensors and functions.
struct Direction {
  Direction(const Evaluation& e, const RecurrentCell& of, std::size_t number, bool turned)
      : cell(of),
        prefix(number == 0 ? "" : "reverse_"),
        backward(turned),
        first_state((e.flag("mask") ? 2 : 1) + number * of.states),
        kernel(e.parameter(prefix + "kernel")),
        recurrent(e.parameter(prefix + "recurrent_kernel")),
        // Only the GRU tells the state's bias from the input's.
        two_biases(e.parameters.contains(prefix + "recurrent_bias")),
        bias(e.parameter(prefix + (two_biases ? "input_bias" : "bias"))),
        none(two_biases ? Shape{0} : bias.shape),
        recurrent_bias(two_biases ? e.parameter(prefix + "recurrent_bias") : none),
        activation(recurrent_function(e.layer.settings["activation"].get<std::string>()).compute),
        recurrent_activation(
            recurrent_function(e.layer.settings.value("recurrent_activation", "sigmoid")).compute) {}

  const RecurrentCell& cell;
  std::string prefix;
  bool backward;
  std::size_t first_state;  // among the inputs
  const Array& kernel;
  const Array& recurrent;
  bool two_biases;
  const Array& bias;
  Array none;
  const Array& recurrent_bias;
  double (*activation)(double);
  double (*recurrent_activation)(double);
};

struct Run {
  std::vector<double> outputs;  // t u, in the order in which they are computed
  std::vector<double> h;
  std::vector<double> c;
};

std::vector<double> initial(const Evaluation& e, std::size_t input, std::int64_t n, std::int64_t units) {
  std::vector<double> state(index(units), 0.0);
  if (e.flag("initial")) std::copy_n(e.inputs.at(input)->data.data() + n * units, units, state.begin());
  return state;
}

// One direction of one sequence. A masked step leaves the states as they are; its output is 0 or the one
// before, which is 0 at first, whatever the initial state.
Run scan(const Evaluation& e, const Direction& d, std::int64_t n) {
  const Array& x = *e.inputs[0];
  const std::int64_t steps = x.size(1);
  const std::int64_t features = x.size(2);
  const std::int64_t units = e.integer("units");
  const Array* mask = e.flag("mask") ? e.inputs.at(1) : nullptr;
  std::vector<double> from_input(d.cell.gates * index(units));
  std::vector<double> from_before(from_input.size());
  Run run{{}, initial(e, d.first_state, n, units), initial(e, d.first_state + d.cell.states - 1, n, units)};
  std::vector<double> y(index(units), 0.0);
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = d.backward ? steps - 1 - k : k;
    if (mask == nullptr || mask->data[index(n * steps + t)] != 0) {
      multiply(d.kernel, d.bias, x.data.data() + (n * steps + t) * features, features, from_input);
      multiply(d.recurrent, d.recurrent_bias, run.h.data(), units, from_before);
      d.cell.step({e.layer, units, from_input.data(), from_before.data(), d.recurrent.data.data(),
                   d.recurrent_bias.data.data(), d.activation, d.recurrent_activation, run.h.data(),
                   run.c.data()});
      y = run.h;
    } else if (e.flag("zero_masked")) {
      std::ranges::fill(y, 0.0);
    }
    run.outputs.insert(run.outputs.end(), y.begin(), y.end());
  }
  return run;
}

// The second direction's values joined to the first's: both have the same shape.
std::vector<Array> merge(std::vector<Array> ways, const std::string& how) {
  if (ways.size() == 1 || how == "none") return ways;
  const Array& a = ways[0];
  const Array& b = ways[1];
  if (how == "concat") {
    Shape shape = a.shape;
    const std::int64_t units = shape.back();
    shape.back() *= 2;
    Array y(shape);
    for (std::int64_t row = 0; index(row * units) < a.count(); ++row) {
      std::copy_n(a.data.data() + row * units, units, y.data.data() + 2 * row * units);
      std::copy_n(b.data.data() + row * units, units, y.data.data() + (2 * row + 1) * units);
    }
    return {y};
  }
  Array y(a.shape);
  for (std::size_t i = 0; i < y.count(); ++i) {
    const double sum = a.data[i] + b.data[i];
    y.data[i] = how == "mul" ? a.data[i] * b.data[i] : how == "ave" ? sum / 2 : sum;
  }
  return {y};
}

// y of one direction, in the order of x where there are two.
void write_outputs(const Evaluation& e, const Run& run, bool turned, std::int64_t n, Array& y) {
  const std::int64_t steps = e.inputs[0]->size(1);
  const std::int64_t units = e.integer("units");
  const bool last = e.layer.settings["returns"] == "last";
  // Mistakes, see recurrent_gates.h: the step that stands last in x, not the one computed last; and the steps
  // in the order in which they were computed.
  const bool begun = turned && e.layer.settings.value("last_of_sequence", false);
  const bool unturned = e.layer.settings.value("unturned_backward", false);
  for (std::int64_t k = 0; k < steps; ++k) {
    if (last && k != (begun ? 0 : steps - 1)) continue;
    const std::int64_t row = last ? n : n * steps + (turned && !unturned ? steps - 1 - k : k);
    std::copy_n(run.outputs.data() + k * units, units, y.data.data() + row * units);
  }
}

}  // namespace

std::vector<Array> compute_recurrent(const Evaluation& e, const RecurrentCell& cell) {
  const Array& x = *e.inputs[0];
  const std::string way = e.layer.settings["direction"].get<std::string>();
  const std::size_t directions = way == "both" ? 2 : 1;
  const std::int64_t units = e.integer("units");
  const Shape state_shape{x.size(0), units};
  const Shape shape =
      e.layer.settings["returns"] == "last" ? state_shape : Shape{x.size(0), x.size(1), units};
  std::vector<Array> ways(directions, Array(shape));
  std::vector<Array> states(directions * cell.states, Array(state_shape));
  for (std::size_t d = 0; d < directions; ++d) {
    const bool turned = d == 1;
    const Direction direction(e, cell, d, turned || way == "backward");
    for (std::int64_t n = 0; n < x.size(0); ++n) {
      const Run run = scan(e, direction, n);
      write_outputs(e, run, turned, n, ways[d]);
      std::ranges::copy(run.h, states[d * cell.states].data.begin() + n * units);
      if (cell.states == 2) std::ranges::copy(run.c, states[2 * d + 1].data.begin() + n * units);
    }
  }
  if (e.layer.settings.value("backward_first", false)) std::ranges::reverse(ways);
  std::vector<Array> outputs = merge(std::move(ways), e.layer.settings["merge"].get<std::string>());
  if (e.flag("states")) outputs.insert(outputs.end(), states.begin(), states.end());
  return outputs;
}

}  // namespace tieout
