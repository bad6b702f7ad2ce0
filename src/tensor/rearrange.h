// Moving the elements of a tensor from one arrangement into another, at the speed of the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "tensor/strided_loop.h"

namespace tieout {

// Loops that carry a whole source tensor into a whole target tensor. Source and target may begin at any
// address and must not overlap. Nothing beyond the loops' own places is read or written. Runs on several
// threads, each with at most 320 KiB of its own; one Rearrangement may be run from several threads at once.
class Rearrangement {
 public:
  // For elements of `element_size` bytes. The loops go to different places.
  Rearrangement(std::vector<StridedLoop> loops, std::size_t element_size);

  // The whole target. A loop that leaves its tensor is an Error(internal), found before anything is written.
  void run(Bytes source, std::span<std::byte> target) const;

  // Only the target's elements [first, last), counted through its loops' places row by row; `part` has
  // (last - first) x element_size bytes and begins with element `first`. Fastest where both are multiples of
  // the target's outer strides, and in few large parts: each reads all cache lines of the source that hold
  // elements of its own. Errors as above.
  void run_part(Bytes source, std::int64_t first, std::int64_t last, std::span<std::byte> part) const;

 private:
  void check_source(Bytes source) const;

  std::vector<StridedLoop> loops_;
  std::size_t element_size_;
  Extent extent_;  // of all loops
};

// Rearrangement(loops, element_size).run(source, target), for a tensor that is carried once.
void copy_elements(const std::vector<StridedLoop>& loops, std::size_t element_size, Bytes source,
                   std::span<std::byte> target);

}  // namespace tieout
