// Writing what merge.h describes.
#pragma once

#include "layers/shared/merge.h"

namespace tieout {

// What is joined: the setting "operands", or the inputs in their order.
Json operands_of(const Layer& layer, std::size_t inputs);

void write_merge(Lowerer& lowerer, const Merge& form);

}  // namespace tieout
