// Dicts of tensors: torch.save(model.state_dict()).
#pragma once

#include "formats/torch_pt/tensor_reader.h"
#include "model/framework_model.h"

namespace tieout::torch_pt {

// Fills the tensors and nodes (group_tensors) of `model`. Dicts inside the dict give dotted names; values
// that are neither tensors nor dicts are left out. Error(unsupported) when one is a module.
void read_state_dict(const PickleNode& root, Storages& storages, FrameworkModel& model);

}  // namespace tieout::torch_pt
