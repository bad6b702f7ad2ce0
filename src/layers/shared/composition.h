// Classes that are read as several layers of other kinds: nothing of their own is computed or written.
#pragma once

#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// Adds a layer of `kind` and gives its output, -1 where the file holds tensors only. The first of a node has
// no `helper` and so keeps the node's name; the others are NAME_helper. `inputs`: values; empty: what the
// layer before gives, or the node's inputs.
int add_part(Lifter& lifter, const std::string& kind, const Json& settings, const std::string& helper = {},
             const std::vector<int>& inputs = {});

// Adds the p-th root, NAME_root. As in PyTorch its gradient at 0 is 0, not infinite: the root is taken of a 1
// there.
void add_root(Lifter& lifter, double p);

// The settings of the kinds of shared/merge.h that join their input with a number.
Json with_number(const Json& number);
// Of binary_function: its input to this power.
Json power_of(const Json& number);

}  // namespace tieout
