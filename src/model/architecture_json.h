// The architecture of a PyTorch model as JSON: what tieout keeps in the files it writes, where PyTorch does
// not look (record tieout/model.json of a .pt, __metadata__["tieout"] of a .safetensors).
//
//   {"tieout": 1, "name": "LeNet5",
//    "inputs": [{"name": "input", "shape": [null, 1, 28, 28], "dtype": "float32"}],
//    "nodes": [{"name": "conv2d", "class": "Conv2d", "module": "torch.nn.modules.conv", "settings": {...},
//               "inputs": [{"value": [-1, 0]}], "parameters": [{"name": "weight", "tensor":
//               "conv2d.weight"}]}],
//    "outputs": [[11, 0]]}
//
// A value is [node, output]; node -1 is the model's input with the number `output`. "shape" is null when
// nothing is known. "keyword", "module" and "as_list" are left out when they are empty. FrameworkNode::call
// and comment stay out: they are Python, and a stranger's file must not be able to bring Python into the
// sources that tieout writes.
#pragma once

#include "model/framework_model.h"

namespace tieout {

Json architecture_to_json(const FrameworkModel& model);

// Fills name, inputs, nodes and outputs of `model`, whose tensors are there already, and sets
// has_architecture. The JSON may come from a stranger, but its depth must be bounded already (parse_json).
// Error(malformed) when it is not as above, a node takes a value of a later node, or a parameter names a
// tensor that is not in the file. Settings are taken as they are.
void architecture_from_json(const Json& json, FrameworkModel& model);

}  // namespace tieout
