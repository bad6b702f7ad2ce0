// The name under which the records list a node's class.
#pragma once

#include <string>

#include "model/framework_model.h"

namespace tieout {

// "ops.Add" for an operator of keras.ops, which Keras saves as a class "Add" of the module
// "keras.src.ops.numpy" (a layer of that name is another class); "tf.math.add" for a TensorFlow function in a
// file of Keras 2 (class TFOpLambda or SlicingOpLambda); otherwise the class itself.
std::string listed_class(const FrameworkNode& node);

// Whether the node is an operator of keras.ops.
bool is_keras_operator(const FrameworkNode& node);

}  // namespace tieout
