// Where a variable of a layer lies in the vars layout (see vars_layout.h).
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::keras {

// One path for each parameter of `node`: its own where it has one; otherwise, for a layer that was read from
// a .h5, what its name says: "kernel" -> vars/0, "lstm_cell/bias" -> cell/vars/2, "query/kernel" ->
// query_dense/vars/0, the numbers in the order of the parameters. Error(unsupported) for names of sublayers
// that are not known.
std::vector<std::string> vars_paths(const FrameworkNode& node);

}  // namespace tieout::keras
