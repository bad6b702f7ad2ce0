// What torch.load imports and calls beyond plain data.
#pragma once

#include <string>
#include <vector>

#include "containers/pickle/pickle_tree.h"

namespace tieout::torch_pt {

// "the class torch.nn.modules.conv.Conv2d": each global of the pickle that torch.load(weights_only=True) does
// not allow by itself (torch/_weights_only_unpickler.py), once; only weights_only=False loads such a file,
// and runs what it names.
std::vector<std::string> needed_code(const PickleTree& tree);

}  // namespace tieout::torch_pt
