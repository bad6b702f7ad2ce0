// The architecture in a Keras file: config.json of a .keras, model_config of a .h5.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::keras {

struct Architecture;

// One entry of the configuration's list of layers.
struct LayerEntry {
  std::string name;  // within its own model
  std::string class_name;
  std::string module;
  bool is_input = false;             // an InputLayer: not a node but an input of the model
  bool is_operation = false;         // of keras.ops: has no weights and no group in the weights file
  std::vector<Architecture> nested;  // of a model among the layers: one, otherwise none
  bool is_wrapped = false;           // `nested` is the model that a TimeDistributed wraps
};

struct Architecture {
  bool known = false;  // false for subclassed models, whose code is not in the file
  bool sequential = false;
  std::vector<LayerEntry> layers;  // in the file's order
};

// Fills name, inputs, nodes (one for each call, without parameters) and outputs of `model` from `config`, the
// object {"class_name", "config", ...}. A model among the layers is written out: its layers are nodes named
// "model/layer", at each of its calls. So is one that a TimeDistributed wraps, between two nodes of that
// class (see nested.h). `layer_names` (may be empty) are the names that the weights list: an
// entry without a module whose name is not among them is an operation, which .h5 files do not tell apart.
// Node settings are the layer's config; of a call that passes constants besides tensors (an operation `x *
// 2`, use_causal_mask=True) they also hold "args" and "kwargs" (see Call). Error(malformed) for a graph that
// is none.
Architecture read_architecture(const Json& config, const std::set<std::string>& layer_names,
                               FrameworkModel& model, const Where& where);

}  // namespace tieout::keras
