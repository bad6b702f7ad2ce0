// What `tieout inspect` shows.
#pragma once

#include <string>

#include "model/model.h"

namespace tieout {

// The two listings that frameworks' users know: layers with class, output shape and parameter count (as in
// Keras' summary), and tensors with dtype and shape (as in a state_dict).
std::string inspect_text(const FrameworkModel& file, const Model& model);

// {"format", "framework", "layers", "tensors", "parameters", "inputs", "outputs", "findings"}.
Json inspect_json(const FrameworkModel& file, const Model& model);

// Elements of all tensors that belong to a layer, shared ones counted once; of all tensors where no layer is
// known.
std::uint64_t parameter_count(const FrameworkModel& file);

}  // namespace tieout
