// The local variables of forward().
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::torch_source {

struct LastUses {
  std::vector<int> inputs;  // the node that takes the value last; -1: none; the number of nodes: an output
  std::vector<int> nodes;
};
LastUses find_last_uses(const FrameworkModel& model);

// For each node, what stands behind its variable for its outputs: "[0]", "[1]" where they are taken one by
// one, or what the node's setting "_outputs" says (their number, or their suffixes); none where the variable
// is the only output.
using Suffixes = std::vector<std::vector<std::string>>;
Suffixes find_suffixes(const FrameworkModel& model);

struct ForwardNames {
  std::vector<std::string> arguments;  // one for each model input
  std::vector<std::string> variables;  // one for each node
  Suffixes suffixes;

  [[nodiscard]] std::string value(const ValueRef& ref) const;
};

// "x" where the value before is not needed any more, so that a chain reads x = f(x); the node's own name
// otherwise.
ForwardNames name_values(const FrameworkModel& model);

}  // namespace tieout::torch_source
