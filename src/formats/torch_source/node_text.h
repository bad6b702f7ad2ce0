// A node as Python: its constructor in __init__, its expression in forward().
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "model/framework_model.h"
#include "tieout/error.h"

namespace tieout::torch_source {

// What has no attribute: torch.cat.
bool is_function(const FrameworkNode& node);

Error cannot_write(const FrameworkNode& node, const std::string& message);

// The attribute of a node that is no function. Error(unsupported) where its parameters would get other names.
std::string attribute_of(const FrameworkNode& node);

// The arguments of the node's constructor: names, and values as Python. Error(unsupported) where a name is
// none.
using Arguments = std::vector<std::pair<std::string, std::string>>;
Arguments arguments_of(const FrameworkNode& node);

// "nn.Conv2d(in_channels=1, out_channels=6, kernel_size=(5, 5))".
std::string constructor(const FrameworkNode& node, const Arguments& arguments);

// The call with every placeholder filled; `module` is the submodule's text.
std::string expression(const FrameworkNode& node, const std::string& module,
                       const std::function<std::string(const ValueRef&)>& value);

// A statement with the comment behind it, or before it where the line is full.
std::string commented(const std::string& statement, const std::string& comment, std::size_t indent);

}  // namespace tieout::torch_source
