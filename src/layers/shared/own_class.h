// A class that PyTorch does not have: NAME.py holds its source, once.
#pragma once

#include <string>

#include "layers/layer_kind.h"

namespace tieout {

// Adds a node of "tieout.NAME", whose source `definition` is; `settings` are its constructor's arguments.
void add_own_class(Lowerer& lowerer, const std::string& name, const std::string& definition,
                   const Json& settings, const std::string& helper = {});

}  // namespace tieout
