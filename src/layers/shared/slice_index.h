// The index of a slice (layers/slice.cpp) in the words of Python, Keras and TensorFlow.
#pragma once

#include <string>

#include "layers/layer_kind.h"

namespace tieout {

// The cells of an axis that an entry takes: first, first + step, ... (count of them).
struct Cells {
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

// Of {"at": i} or {"start", "stop", "step"} on an axis of this size, as in Python; Error(malformed) for a
// cell that is not there.
Cells cells_of(const Json& entry, std::int64_t size);

// Whether it takes all cells in their order.
bool is_whole(const Json& entry);

// An entry for each axis of the input, out of Keras' key: a number, a __slice__, an __ellipsis__ or null, or
// a list of them; TensorFlow's ranges are plain {"start", "stop", "step"}.
Json full_index(const Lifter& lifter, const Json& key);
Json keras_index(const Json& index);

// Error(malformed) or a refusal for what is no index of the input, and for a batch that is dropped.
void check_index(const Lifter& lifter, const Json& index);

// "{0}[:, 0, 1:3]". PyTorch has no negative steps: those axes are reversed before.
std::string python_index(const Json& index);

}  // namespace tieout
