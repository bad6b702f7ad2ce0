// The local variables of forward().
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::torch_source {

struct ForwardNames {
  std::vector<std::string> arguments;  // one for each model input
  std::vector<std::string> variables;  // one for each node
  std::vector<bool> indexed;           // nodes whose outputs are taken one by one: variable[0], variable[1]

  [[nodiscard]] std::string value(const ValueRef& ref) const;
};

// "x" where the value before is not needed any more, so that a chain reads x = f(x); the node's own name
// otherwise.
ForwardNames name_values(const FrameworkModel& model);

}  // namespace tieout::torch_source
