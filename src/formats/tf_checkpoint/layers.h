// Which layers the variables of a checkpoint belong to.
#pragma once

#include <string>
#include <vector>

#include "formats/tf_checkpoint/object_graph.h"
#include "model/framework_model.h"

namespace tieout::tf_checkpoint {

// A layer that was found in the graph, and where.
struct FoundLayer {
  FrameworkNode node;             // without class, settings and edges; `tensor` is the key's name
  std::vector<std::string> path;  // from the graph's first object: "model", "_operations", "3"
};

// The objects that hold variables, in the order of the graph: Keras lists a model's layers in the order of
// model.operations (Keras 3: _operations/3) or of its layers (tf-keras: layer_with_weights-2), objects of
// other models in the order in which they were assigned. The parameters stand in the order of the layer's
// weights; those of sublayers (an LSTM's cell) belong to the layer. Optimizers, metrics and lists of all
// variables are no layers. A layer is named as the variables say, "dense" for "sequential/dense/kernel"; as
// its path where two would have one name.
//
// model.export() keeps a list of variables only, in the order of model.variables: there the names alone say
// what the layers are.
std::vector<FoundLayer> find_layers(const ObjectGraph& graph, const Where& where);

// The layers of a checkpoint without a graph, as TensorFlow 1 wrote them: by the names of the variables, in
// the order in which Keras has a layer's weights. Slots of optimizers are none. Layers with variables of
// other names than are known are left out, since nothing says in which order they would be.
std::vector<FrameworkNode> layers_by_name(const std::vector<NamedTensor>& tensors);

}  // namespace tieout::tf_checkpoint
