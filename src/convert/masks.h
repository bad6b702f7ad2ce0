// Keras' masks, made visible.
//
// Embedding(mask_zero=True) and Masking mark steps that later layers skip. A Functional file of Keras 3
// states the mask in each call that takes it; a Sequential model, a nested one and a file of Keras 2 leave it
// to be handed from layer to layer when the model runs (keras/src/layers/layer.py, __call__). There, the
// calls get it here as if they had stated it.
#pragma once

#include "model/finding.h"
#include "model/framework_model.h"

namespace tieout {

// Adds nodes that compute the masks and the input "mask" to the calls that take one. Findings
// (Severity::forbids) for each layer that would do with a mask what is not known here. Nothing changes where
// there are no masks.
Findings state_masks(FrameworkModel& model);

}  // namespace tieout
