#include <algorithm>

#include "layers/shared/recurrent.h"

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

struct Direction {
  std::string prefix;
  bool backward = false;
};

// The states of one direction for one sequence, in the order in which they are computed: t u.
std::vector<double> scan(const Evaluation& e, const RecurrentCell& cell, const Direction& direction,
                         std::int64_t n) {
  const Array& x = *e.inputs[0];
  const Array& kernel = e.parameter(direction.prefix + "kernel");
  const Array& recurrent = e.parameter(direction.prefix + "recurrent_kernel");
  // Only the GRU tells the state's bias from the input's.
  const bool two_biases = e.parameters.contains(direction.prefix + "recurrent_bias");
  const Array& bias = e.parameter(direction.prefix + (two_biases ? "input_bias" : "bias"));
  const Array none(two_biases ? Shape{0} : bias.shape);
  const Array& recurrent_bias = two_biases ? e.parameter(direction.prefix + "recurrent_bias") : none;
  const std::int64_t steps = x.size(1);
  const std::int64_t features = x.size(2);
  const std::int64_t units = e.integer("units");
  std::vector<double> from_input(cell.gates * index(units));
  std::vector<double> from_before(from_input.size());
  std::vector<double> h(index(units), 0.0);
  std::vector<double> c(index(units), 0.0);
  std::vector<double> states;
  states.reserve(index(steps) * index(units));
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = direction.backward ? steps - 1 - k : k;
    multiply(kernel, bias, x.data.data() + (n * steps + t) * features, features, from_input);
    multiply(recurrent, recurrent_bias, h.data(), units, from_before);
    cell.step({e.layer, units, from_input.data(), from_before.data(), recurrent.data.data(),
               recurrent_bias.data.data(), h.data(), c.data()});
    states.insert(states.end(), h.begin(), h.end());
  }
  return states;
}

}  // namespace

std::vector<Array> compute_recurrent(const Evaluation& e, const RecurrentCell& cell) {
  const Array& x = *e.inputs[0];
  const std::string way = e.layer.settings["direction"].get<std::string>();
  std::vector<Direction> directions;
  if (way != "backward") directions.push_back({"", false});
  if (way == "backward") directions.push_back({"", true});
  if (way == "both") directions.push_back({"reverse_", true});
  const std::int64_t steps = x.size(1);
  const std::int64_t units = e.integer("units");
  const std::int64_t width = units * static_cast<std::int64_t>(directions.size());
  const bool last = e.layer.settings["returns"] == "last";
  Array y(last ? Shape{x.size(0), width} : Shape{x.size(0), steps, width});
  if (steps == 0) return {y};
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::size_t d = 0; d < directions.size(); ++d) {
      const auto states = scan(e, cell, directions[d], n);
      for (std::int64_t k = last ? steps - 1 : 0; k < steps; ++k) {
        const bool turned = directions[d].backward && way == "both";
        const std::int64_t t = last ? 0 : (turned ? steps - 1 - k : k);
        const std::int64_t row = last ? n : n * steps + t;
        std::copy_n(states.data() + k * units, units,
                    y.data.data() + row * width + static_cast<std::int64_t>(d) * units);
      }
    }
  }
  return {y};
}

}  // namespace tieout
