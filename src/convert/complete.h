// Input shapes that one file leaves open and the other knows.
#pragma once

#include "convert/lift.h"

namespace tieout {

// For each input of `open` whose sizes are not all known: the shape, in open's own layout, that the same
// input (by position) has in `other`. Axes are found by name. `given` shapes win and are returned as well.
InputShapes complete_shapes(const Model& open, const Model& other, const InputShapes& given);

}  // namespace tieout
