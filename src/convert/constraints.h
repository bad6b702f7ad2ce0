// What keeps a weight in bounds while a model is trained: Keras' SpectralNormalization, PyTorch's weight_norm
// and spectral_norm (torch.nn.utils, and torch.nn.utils.parametrizations).
//
// The layer itself is carried, with the weight that it computes with in inference; the constraint is not.
#pragma once

#include <optional>

#include "model/finding.h"
#include "model/framework_model.h"

namespace tieout {

// Leaves the nodes with the weights of inference; what only training needs stays in the file's tensors. Notes
// for each layer, also where an earlier call has done so already. `outputs`: the axis of a kernel's outputs,
// where a state_dict does not tell it and the architecture that is assumed for it does.
Findings state_weights(FrameworkModel& model, std::optional<std::size_t> outputs = {});

// Findings (Severity::forbids) for each layer of a template that is so constrained: what training would go on
// from cannot be filled in.
Findings refuse_constraints(const FrameworkModel& target);

}  // namespace tieout
