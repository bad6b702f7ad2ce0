// The arguments of a Keras layer's call by name, whether they were given by position or by keyword.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/record/lifter.h"

namespace tieout {

struct KerasCall {
  std::map<std::string, std::size_t> tensors;  // name -> number among the node's inputs
  std::map<std::string, Json> constants;       // without None, and without training=False

  // The constant as true or false; `name` is no longer among the constants.
  bool take_flag(Lifter& lifter, const std::string& name);
  // Refuses whatever is left: tensors whose name is not among `known`, and every constant.
  void expect_only(Lifter& lifter, const std::vector<std::string>& known) const;
};

// `names`: of call()'s arguments, in its order. A list as first argument, call([a, b]), counts as its items.
KerasCall keras_call(Lifter& lifter, const std::vector<std::string>& names);

}  // namespace tieout
