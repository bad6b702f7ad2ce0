// The attributes of a torch.nn module as JSON.
#pragma once

#include "containers/pickle/pickle_tree.h"
#include "model/framework_model.h"

namespace tieout::torch_pt {

// A module's own attributes: all of its __dict__ but "training", private names (Module's bookkeeping, and
// values that follow from others) and plain tensors. Tuples and lists become arrays, classes and functions
// their full names, other objects {"object": full name}; infinities and not-a-number, which JSON does not
// have, "inf", "-inf" and "nan".
Json module_settings(const PickleNode& attributes);

}  // namespace tieout::torch_pt
