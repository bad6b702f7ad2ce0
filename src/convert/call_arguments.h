// The arguments of a Keras layer's call in a FrameworkNode, to be read and changed: by position or by name,
// as node.inputs has them or, where the call passes constants too, as settings "args" and "kwargs" have.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout {

// Gives the arguments from the `first`th on, where they are passed by position, their names: those of call(),
// in its order. A list counts as one argument.
void name_arguments(FrameworkNode& node, std::size_t first, const std::vector<std::string>& names);

// The number of the node's input that is the argument `name`, the `place`th by position; nothing where it is
// none or not a tensor.
std::optional<std::size_t> argument_of(const FrameworkNode& node, std::size_t place, const std::string& name);

// The tensors of the first argument, call([a, b]); those given by position where it is no list.
std::vector<std::size_t> listed_arguments(const FrameworkNode& node);

// The argument as the call has it: {"input": k}, a list of those and null, or null.
Json stated_argument(const FrameworkNode& node, const std::string& name);

// Passes `value` by that name.
void add_argument(FrameworkNode& node, const std::string& name, const ValueRef& value);

// Passes a list by that name, null for None.
void add_list_argument(FrameworkNode& node, const std::string& name,
                       const std::vector<std::optional<ValueRef>>& values);

// Takes the arguments of these names out of the call.
void remove_arguments(FrameworkNode& node, const std::set<std::string>& names);

}  // namespace tieout
