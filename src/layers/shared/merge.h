// Kinds that join inputs of one rank number by number: y = a + b + ..., a size of 1 standing for any.
#pragma once

#include <functional>
#include <string>

#include "layers/layer_kind.h"

namespace tieout {

struct Merge {
  std::string name;
  std::string torch_function;  // "torch.add": the name under which our own PyTorch files hold it
  std::string keras_class;     // "Add"
  std::string summary;
  // The expression of the first two inputs, "{0} + {1}", and of a result and one more input.
  std::function<std::string(const std::string& left, const std::string& right)> torch_call;
  std::function<double(double left, double right)> join;
  bool is_mean = false;  // the joined result is divided by the number of inputs
  bool only_two = false;
};

LayerKind merge_kind(const Merge& form);

// Both frameworks' usual expressions.
std::function<std::string(const std::string&, const std::string&)> infix(const std::string& sign);
std::function<std::string(const std::string&, const std::string&)> prefix(const std::string& function);

}  // namespace tieout
