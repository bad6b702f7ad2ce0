// How a Functional configuration writes one call of a layer.
//   Keras 3: {"args": [tensor, [tensor, 2.0]], "kwargs": {"mask": tensor}}, a tensor being
//            {"class_name": "__keras_tensor__", "config": {"keras_history": [layer, call, output], ...}}
//   Keras 2: [[layer, call, output, {kwargs}], ...], tensors among the kwargs being [layer, call, output]
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::keras {

// "output number `output` of call number `call` of `layer`".
struct History {
  std::string layer;
  int call = 0;
  int output = 0;
};

struct CallInput {
  History from;
  std::string keyword;
};

struct Call {
  std::vector<CallInput> inputs;  // in the order of the arguments
  bool inputs_as_list = false;
  // The arguments with each tensor replaced by {"input": index into inputs}; null when there is nothing but
  // tensors (and None).
  Json args;
  Json kwargs;
};

using IsLayer = std::function<bool(const std::string&)>;

// Error(malformed) when `call` is of neither form. `is_layer` tells names of layers from other text (Keras
// 2).
Call parse_call(const Json& call, const IsLayer& is_layer, const Where& where);

// [layer, call, output] or its lists and dictionaries, as input_layers and output_layers have it, flattened.
std::vector<History> parse_histories(const Json& value, const Where& where);

}  // namespace tieout::keras
