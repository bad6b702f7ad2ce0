// Functions of keras.ops as nodes of a Keras graph: what Keras computes but has no layer for.
#pragma once

#include <string>

#include "layers/layer_kind.h"

namespace tieout {

// Adds a node of the operation class ("Celu" of keras.src.ops.nn) with its constructor's arguments.
void add_operation(Lowerer& lowerer, const std::string& class_name, const Json& settings,
                   const std::string& module = "keras.src.ops.nn", const std::string& helper = {});

}  // namespace tieout
