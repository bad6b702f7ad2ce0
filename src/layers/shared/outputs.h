// A kind's outputs, without copying them.
#pragma once

#include <utility>
#include <vector>

#include "tensor/array.h"

namespace tieout {

// A list in braces would copy.
inline std::vector<Array> one_output(Array array) {
  std::vector<Array> outputs;
  outputs.push_back(std::move(array));
  return outputs;
}

}  // namespace tieout
