// Inputs for a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"
#include "tensor/array.h"

namespace tieout {

// Probe number `number` for each input of the model, in its layout, with a batch of 2: never 1, since that
// hides what happens along the batch. In turn: normal values; uniform ones in [0, 1); normal values times
// 0.01, which an epsilon shows in. Inputs that an embedding reads are indices below its size. Axes
// whose size the model leaves open (heights, steps) get some size; Error(usage) with --input-shape as the way
// out when the number of channels or features is not known.
std::vector<Array> random_probe(const Model& model, int number, std::uint64_t seed);

// A random probe with larger numbers, which reach the limits of a ReLU6; integers stay as they are.
std::vector<Array> widened(const Model& model, std::vector<Array> probe);

// What a probe file holds, as inputs of the model: by name where the names are those of the model's inputs or
// "input/0", "input/1", ...; otherwise in order. Error(usage) when their number or a shape does not fit.
std::vector<Array> given_probe(const Model& model, const std::vector<NamedTensor>& tensors);

// Size of the table or of the encoding that the input indexes, 0 when nothing reads it so.
std::int64_t embedding_size(const Model& model, int input_value);

// A tensor of any real or integer type as doubles. Error(unsupported) for complex and 8 bit floating types.
Array to_array(const LazyTensor& tensor);

// As float64.
LazyTensor to_tensor(const Array& array);

}  // namespace tieout
