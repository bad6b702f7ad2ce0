// Moving the elements of a tensor from one arrangement into another.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "tensor/pattern.h"

namespace tieout {

// One nested loop: element (i0, i1, ...) goes from source[source_offset + sum i_k source_strides_k] to
// target[target_offset + sum i_k target_strides_k]. Offsets and strides count elements.
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

// Runs the loops for elements of `element_size` bytes (1, 2, 4, 8 or 16). The buffers are whole tensors; a
// loop that leaves them is an Error(internal), found before anything is written.
void copy_elements(const std::vector<StridedLoop>& loops, std::size_t element_size, Bytes source,
                   std::span<std::byte> target);

}  // namespace tieout
