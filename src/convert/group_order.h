// The order of the layers of a file that holds no architecture and keeps no order either.
#pragma once

#include "model/finding.h"
#include "model/framework_model.h"

namespace tieout {

// A PyTorch archive lists tensors as the modules were defined, an .h5 file lists its layers. safetensors
// sorts names as text, "10" before "2", and a .weights.h5 keeps the order within each class only, in its
// groups' names ("dense", "dense_1"); a checkpoint of TensorFlow 1 sorts its names too. For those: groups
// whose names differ in numbers only are brought into the order of the numbers; each sort keeps the places
// that it has among the others. Within a group of safetensors, weights come first, as modules register them.
void order_groups(FrameworkModel& bare);

// Pairs by position where the position is not known: groups of a file that sorts names, with tensors of the
// same names and shapes, whose own names differ by more than numbers. A finding that lists them; nothing for
// a file that keeps its order.
Findings unknown_order(const FrameworkModel& bare);

}  // namespace tieout
