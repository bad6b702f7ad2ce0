// Cutting a rearrangement into parts that are fast to read, fast to write and small.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/lazy_tensor.h"
#include "tensor/rearrange.h"

namespace tieout {

// Parts of the target of `loop`, of at most `most` bytes each where one level can be cut so fine. The level
// is chosen so that the runs which lie together are long in the source as well as in the target. Empty when
// the loop does not fill a target of its own.
std::vector<TensorPart> cut(const StridedLoop& loop, std::size_t element_size, std::uint64_t most);

// The loop that makes such a part, its runs one after another.
StridedLoop loop_of(const TensorPart& part, const StridedLoop& loop);

}  // namespace tieout
