// The loops that carry the elements of a tensor from one arrangement into another.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/pattern.h"

namespace tieout {

// One nested loop: element (i0, i1, ...) goes from source[source_offset + sum i_k source_strides_k] to
// target[target_offset + sum i_k target_strides_k]. Offsets and strides count elements and are not negative;
// no two elements go to the same place.
struct StridedLoop {
  Shape sizes;
  std::vector<std::int64_t> source_strides;
  std::vector<std::int64_t> target_strides;
  std::int64_t source_offset = 0;
  std::int64_t target_offset = 0;
};

// The loops that carry a tensor arranged as `from` into one arranged as `to`: one loop, or one for each named
// block where the blocks stand in another order. Both patterns must have the same elementary axes, picked
// ones aside; Error(usage) says which axis is missing where.
std::vector<StridedLoop> arrange(const Pattern& from, const Pattern& to, const AxisSizes& sizes);

// The same loop with as few levels as can be: in the target's order, outermost first, without levels of size
// 1, and neighbouring levels that one longer level can replace fused.
StridedLoop fused(const StridedLoop& loop);

// The elements of the loop whose places in the target lie in [first, last), as loops. Each level's target
// stride must be at least the extent of the levels inside it, as it is in whatever `arrange` makes.
std::vector<StridedLoop> part_of(const StridedLoop& loop, std::int64_t first, std::int64_t last);

// The loop's last places plus one, in elements; zeros for a loop without elements.
struct Extent {
  std::int64_t source = 0;
  std::int64_t target = 0;
};
Extent extent(const StridedLoop& loop);

}  // namespace tieout
