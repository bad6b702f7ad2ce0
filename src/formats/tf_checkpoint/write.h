// Writing checkpoints.
#pragma once

#include "formats/format.h"

namespace tieout::tf_checkpoint {

// See Format::write. A model that was read from a checkpoint keeps its keys and its object graph, as far as
// the tensors are there. For any other with an architecture they are those by which Keras 3 finds the
// variables with tf.train.Checkpoint(model=m) or tf.train.Checkpoint(m), m being a Functional or a
// Sequential, and tf-keras with m.load_weights(PREFIX). Error(unsupported) when the architecture is not
// known, and for layers that Keras 3 does not find in any checkpoint.
Outputs write(const FrameworkModel& model, const std::string& path, const WriteOptions& options);

}  // namespace tieout::tf_checkpoint
