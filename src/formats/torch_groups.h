// The modules of a PyTorch file that holds tensors only, as far as the tensors' names tell.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout {

// One node for each group of tensors with the same name before the last dot ("conv1" owns "conv1.weight"), in
// the order of first appearance, without class, settings and edges. A multi-head attention owns its output
// projection: beside "attn.in_proj_weight" or "attn.q_proj_weight", "attn.out_proj.weight" belongs to "attn".
std::vector<FrameworkNode> group_tensors(const std::vector<NamedTensor>& tensors);

// What a PyTorch file of `model` holds: the tensors that the nodes own, in the nodes' order, then the others.
// A tensor that two nodes own comes once.
std::vector<NamedTensor> tensors_to_write(const FrameworkModel& model);

// A model that is part of its file (a checkpoint) or wrapped, as a file of its own: of its tensors' names
// goes what stands before the layer's name, where it is the same before all ("state_dict.module."), and
// tensors that no node owns are left out then. Other models stay as they are.
void keep_model_only(FrameworkModel& model);

// Tensors that are stored once and have a second name, name -> stored name, as safetensors' save_model and
// huggingface_hub's index note it in their metadata: adds them to the model's, with a finding. Entries that
// name no tensor, or are one, are something else.
void add_aliases(const std::map<std::string, std::string>& aliases, FrameworkModel& model);

// The inverse, for files that hold each tensor once: takes the later ones of each storage out of `tensors`
// and says of which it was the same. What stays has the first name in alphabetical order, as with both
// libraries.
std::map<std::string, std::string> take_aliases(std::vector<NamedTensor>& tensors);

}  // namespace tieout
