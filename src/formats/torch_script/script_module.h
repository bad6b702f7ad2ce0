// The modules in a TorchScript archive (torch/csrc/jit/serialization/export_module.cpp).
//
//   NAME/data.pkl        the root module: an object of class "__torch__.Net" whose state is a dict of its
//                        attributes, submodules among them
//   NAME/code/...        the classes' source: __torch__.torch.nn.modules.conv.Conv2d stands in
//                        code/__torch__/torch/nn/modules/conv.py
#pragma once

#include "formats/torch_pt/archive.h"
#include "model/framework_model.h"

namespace tieout::torch_script {

// The globals whose calls such a pickle may hold: lists have types here.
PickleCallables script_callables();

// Adds the parameters and buffers of the module and those in it to model.tensors, as the loaded module's
// state_dict() names and orders them: with the buffers that are not persistent, which the file does not tell
// from the others. Which attributes they are is read off the classes' source, where each class begins with
// two lists of names; nothing else of the source is looked at. Findings name the tensors that are refused,
// and modules that keep their weights in a packed form. Error(malformed) when the source of a class is not
// there, or modules are nested more than 64 deep.
void read_script_module(const PickleNode& root, torch_pt::Archive& archive, FrameworkModel& model);

}  // namespace tieout::torch_script
