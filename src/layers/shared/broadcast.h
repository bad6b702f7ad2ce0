// Several inputs seen as arrays of one shape: a size of 1, and an axis that an input does not have, stand for
// any.
#pragma once

#include <string>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// How inputs of fewer axes are aligned. `right`: on the last axis (PyTorch, keras.ops). `behind_batch`: the
// batch stays first, the others on the last axis (Keras' merge layers). Setting "align" of a layer whose
// inputs differ in rank.
enum class Align { right, behind_batch };

// For each axis of the joined value the input's axis, -1 where it has none. Throws Refusal where the input's
// batch would meet another axis.
std::vector<int> aligned(std::size_t rank, std::size_t joined_rank, Align align);
Align align_of(const Layer& layer);

// The joined axes. An axis is named by the first input that has more than one cell there.
Axes joined_axes(const std::vector<Axes>& inputs, Align align);

// The array with the joined shape.
Array broadcast(const Array& x, const Shape& shape, Align align);
Shape joined_shape(const std::vector<const Array*>& inputs, Align align);

// The layer's inputs in the target, with all the joined axes in one order: adds permutes and new axes where
// needed.
struct Arranged {
  std::vector<ValueRef> values;
  std::vector<Axes> axes;
};
Arranged brought_together(Lowerer& lowerer);

// Adds a node that reorders the axes of the value.
void add_permute(Lowerer& lowerer, const ValueRef& value, const std::vector<int>& dims,
                 const std::string& helper);
// Adds a node that puts axes of size 1 at these places of its output.
void add_expand(Lowerer& lowerer, const ValueRef& value, const std::vector<int>& places,
                const std::string& helper);

// Names new axes of size 1.
std::string unit_axis_name(const Axes& axes);

}  // namespace tieout
