// Parameters and mistakes that the recurrent kinds share.
#pragma once

#include <string>
#include <vector>

#include "layers/shared/recurrent.h"

namespace tieout {

// The gates as an axis of patterns, "g{r z n}", in the order in which each framework has them; empty: one
// gate.
struct GateAxis {
  std::string torch;
  std::string keras;
};

// kernel and recurrent_kernel, in the order of Keras' weights.
void add_kernels(Lifter& lifter, Layer& layer, const RecurrentPart& part, const GateAxis& gates);
// bias: PyTorch stores two of which only the sum counts.
void add_summed_bias(Lifter& lifter, Layer& layer, const RecurrentPart& part, const GateAxis& gates);

// The parameter of that name, or nullptr.
Parameter* parameter_named(Layer& layer, const std::string& name);
// The terms' patterns with the labels of the gates in another order, in every parameter.
bool relabel_gates(Layer& layer, const std::vector<std::string>& own, const std::vector<std::string>& other);

// One step from no state: neither the order of the steps nor the recurrent kernel shows.
bool is_one_step(const Layer& layer, const std::vector<Axes>& inputs);

// bias_hh was left out of the summed bias.
Mistake forgotten_second_bias();
// Those of a layer that goes both ways: the directions' parameters are swapped; the backward one's output is
// taken at the last step of the sequence, where it has just begun, or is left in the order in which it was
// computed, or stands before the forward one's.
std::vector<Mistake> mistakes_of_both_ways();
// The steps are taken in the other direction.
Mistake wrong_direction();

}  // namespace tieout
