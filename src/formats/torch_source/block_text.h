// The two methods of a block.
#pragma once

#include <string>

#include "formats/torch_source/blocks.h"

namespace tieout::torch_source {

// "_add_conv_block".
std::string add_method_name(const Block& block);

// def _add_conv_block(self, name, in_channels): makes the layers of one repeat.
std::string add_method(const FrameworkModel& model, const Block& block);
// def _conv_block(self, x, name): calls them.
std::string call_method(const FrameworkModel& model, const Block& block);

}  // namespace tieout::torch_source
