// The functions that a recurrent layer can have as activation: each number on its own.
#pragma once

#include <string>

#include "layers/layer_kind.h"

namespace tieout {

struct RecurrentFunction {
  std::string name;   // Keras' name, the setting's
  std::string torch;  // in torch.nn.functional, or one that the written class defines
  double (*compute)(double);
};

// The setting of a Keras layer; refused by name where it is none of these. In files of Keras 2 hard_sigmoid
// is another function.
std::string read_recurrent_function(Lifter& lifter, const Json& config, const std::string& setting,
                                    const std::string& otherwise);

const RecurrentFunction& recurrent_function(const std::string& name);
// By the name in the written class; Error(malformed) when there is none.
const RecurrentFunction& recurrent_function_of_torch(const std::string& name);

// The method `function` of the written class, as Python source.
std::string recurrent_functions_python();

}  // namespace tieout
