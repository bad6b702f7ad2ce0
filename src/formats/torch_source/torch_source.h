// NAME.py: a PyTorch model as a file that a person would write.
#pragma once

#include <memory>
#include <string>

#include "base/output_file.h"
#include "model/framework_model.h"

namespace tieout {

// The attribute that a layer named `name` gets in NAME.py: ASCII letters, digits and underscores, no Python
// keyword, none of torch.nn.Module's own attributes. Applied twice, it changes nothing more. Two names can
// give the same attribute; whoever names nodes keeps them apart.
std::string torch_attribute_name(const std::string& name);

// The text. The model is the last class, made without arguments; its docstring states the shapes of inputs
// (from ModelInput) and outputs (from the comment of the output's node). A node is an attribute of the module
// and a line of forward(); nodes whose class begins with "torch." or a small letter are functions and have
// the line only. Error(unsupported) when a node with parameters has a name that is not its
// torch_attribute_name (the state_dict would not fit), or a class or setting cannot be written as Python.
std::string torch_source_text(const FrameworkModel& model);

// Whether `model` was made by tieout for PyTorch, and so has expressions and comments to write; what was read
// from a file has none.
bool wants_source(const FrameworkModel& model);

// NAME.py beside `path` (NAME.pt).
std::unique_ptr<OutputFile> write_torch_source(const FrameworkModel& model, const std::string& path,
                                               bool overwrite);

}  // namespace tieout
