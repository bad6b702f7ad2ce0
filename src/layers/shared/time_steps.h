// Steps of a sequence as elements of the batch: n t rest... <-> (n t) rest... . The kinds merge_time and
// split_time; Keras' TimeDistributed and reshapes across the batch are read as these.
#pragma once

#include <cstdint>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Adds merge_time, of the axis `time` of the input, to the batch.
void add_merge_time(Lifter& lifter, int time);

// Adds split_time with the value `sequence` (that merge_time took), whose axis `time` says how many steps
// there are.
void add_split_time(Lifter& lifter, int sequence, int time);

// Adds merge_time or split_time where a reshape to `shape`, the batch (-1) in front, does just that to known
// sizes. False, and nothing added, where it does not.
bool add_steps_of_reshape(Lifter& lifter, const std::vector<std::int64_t>& shape);

// The output's axes.
Axes merged_steps(const Layer& layer, const Axes& sequence);
Axes split_steps(const Layer& layer, const std::vector<Axes>& inputs);

// A Keras graph has them as reshapes; refused where the sizes are not known.
void write_merge_as_reshape(Lowerer& lowerer);
void write_split_as_reshape(Lowerer& lowerer);

}  // namespace tieout
