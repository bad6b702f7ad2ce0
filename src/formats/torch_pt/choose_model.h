// Which part of a checkpoint is the model.
#pragma once

#include <string>

#include "formats/torch_pt/contents.h"
#include "model/framework_model.h"

namespace tieout::torch_pt {

// Fills everything of `model` but its first three fields. All tensors are listed by their paths; the nodes
// are those of the model alone: of the part that `key` names, or of the only one that is more than small.
//   key "ema.state_dict": the dict or module of that path; otherwise the tensors whose paths begin so, which
//   need not be a dict of their own ("state_dict.model", where "state_dict" holds "model.conv1.weight").
//   key ".": the whole object, without the state of optimizers.
// The nodes' names are without the path and without the prefixes of wrappers, where all have them: "module."
// (DataParallel; AveragedModel, whose "n_averaged" is no part of the model), "_orig_mod." (torch.compile).
// Findings say what was taken, and name the tensors that are refused: they forbid writing when they are the
// model's. Error(usage) with the keys that fit, when the key names nothing, or there is none and several
// parts fit. A file that is one model as a whole has no keys: one that it is given is not used, and a finding
// says so (two files that are compared may be given one key).
void choose_model(Contents contents, const std::string& key, FrameworkModel& model);

}  // namespace tieout::torch_pt
