// The local variables of forward().
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::torch_source {

struct ForwardNames {
  std::vector<std::string> arguments;  // one for each model input
  std::vector<std::string> variables;  // one for each node
  // For each node, what stands behind its variable for its outputs: "[0]", "[1]" where they are taken one by
  // one, or what the node's setting "_outputs" says (their number, or their suffixes); none where the variable is the only output.
  std::vector<std::vector<std::string>> suffixes;

  [[nodiscard]] std::string value(const ValueRef& ref) const;
};

// "x" where the value before is not needed any more, so that a chain reads x = f(x); the node's own name
// otherwise.
ForwardNames name_values(const FrameworkModel& model);

}  // namespace tieout::torch_source
