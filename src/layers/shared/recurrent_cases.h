// Settings that every recurrent kind is judged in.
#pragma once

#include "layers/shared/recurrent.h"

namespace tieout {

std::vector<Case> recurrent_cases(const RecurrentCell& cell);
// Of Keras' Bidirectional around the cell's layer.
std::vector<Case> bidirectional_cases(const RecurrentCell& cell);
// Of Bidirectional around two different layers.
std::vector<Case> cases_of_two_layers();

}  // namespace tieout
