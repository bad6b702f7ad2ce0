// Models among a model's layers.
#pragma once

#include <map>
#include <string>

#include "formats/keras_config/architecture.h"

namespace tieout::keras {

// Puts the nodes of `nested` (by the name of the layer) in the place of each node of `model` that calls one,
// named "layer/node". Error(malformed) when a call does not fit the nested model's inputs and outputs, or
// when the nodes would become more than any model has.
void write_out(const std::map<std::string, FrameworkModel>& nested, FrameworkModel& model,
               const Where& where);

// Makes of the model that a TimeDistributed wraps one that takes sequences: the steps become elements of the
// batch before it ("merge") and steps again behind it ("split"; that node has the wrapper's own name). Each
// is a node of the class TimeDistributed with the setting "part". False, and nothing done, for a model with
// several inputs or outputs.
bool run_at_each_step(FrameworkModel& model);

// The layer of `architecture` to which a weight of a .h5 belongs, by the names on its path: "stem/conv" for
// "convnext/stem/conv/kernel:0" where stem is a nested model. Empty when no layer is on the path.
std::string owner_of(const std::string& weight, const Architecture& architecture);

// Error(unsupported) when the model has nested ones or a SpectralNormalization: for a writer that cannot put
// them together again, since the file that was read names its tensors in another way.
void refuse_composites(const FrameworkModel& model, const std::string& way_out);

}  // namespace tieout::keras
