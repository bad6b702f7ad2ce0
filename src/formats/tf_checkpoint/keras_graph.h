// The object graph of a Keras model that is not read from a checkpoint.
#pragma once

#include "formats/tf_checkpoint/object_graph.h"
#include "model/framework_model.h"

namespace tieout::tf_checkpoint {

struct KerasGraph {
  ObjectGraph graph;
  // The tensors under their keys.
  std::vector<NamedTensor> tensors;
};

// See tf_checkpoint::write. Every variable stands under the names that the versions of Keras give it: a Dense
// has _kernel in Keras 3 and kernel in tf-keras.
KerasGraph keras_graph(const FrameworkModel& model);

}  // namespace tieout::tf_checkpoint
