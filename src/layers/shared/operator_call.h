// Functions as nodes: operators of keras.ops, functions of TensorFlow in files of Keras 2, functions of
// torch.
//
// What a call passes beside tensors stands in the node's settings "args" and "kwargs", tensors being
// {"input": k}; without those the call passes the node's inputs and nothing else.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// The arguments of the node's call. Those that are not asked for and not null are refused by finish().
class CallArguments {
 public:
  explicit CallArguments(const Lifter& lifter);

  // The argument at this place or under one of these names; null when there is none.
  Json take(std::size_t place, const std::vector<std::string>& names);
  // The same, or the node's setting of the first name: operators hold what __init__ takes in their config,
  // functions of TensorFlow pass it with the call.
  Json take_or_setting(std::size_t place, const std::vector<std::string>& names);
  void finish() const;

 private:
  const Lifter& lifter_;
  Json args_ = Json::array();
  Json kwargs_ = Json::object();
  std::set<std::size_t> taken_;
};

// The k of {"input": k}; nothing for a constant.
std::optional<std::size_t> input_of(const Json& argument);

// A node of keras.ops: `module` is "numpy", "nn", "core" or "math", `config` what __init__ takes, `args` the
// call's positional arguments (null: the inputs).
FrameworkNode operator_node(const std::string& module, const std::string& class_name, const Json& config,
                            const Json& args = nullptr);

// A case of an operator of keras.ops: `settings` is its config, and "args" where the call has constants.
Case operator_case(const std::string& name, const std::string& class_name, const Json& settings,
                   const std::vector<Shape>& inputs);

// Python's text for a number or a truth value: "2", "0.5", "True", "-math.inf" as "float("-inf")".
std::string python_number(const Json& number);
// "(1, 2)", "(1,)".
std::string python_tuple(const std::vector<std::int64_t>& numbers);

// A name like `wanted` that none of the axes has.
std::string free_axis_name(const Axes& axes, const std::string& wanted);

}  // namespace tieout
