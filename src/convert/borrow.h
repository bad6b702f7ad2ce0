// An architecture for a file that holds none: the other side's, in the file's own framework.
#pragma once

#include "model/model.h"

namespace tieout {

struct Borrowed {
  FrameworkModel file;  // `bare` with nodes, settings and edges
  Findings findings;    // every tensor that does not fit; a warning that the architecture is assumed
};

// Lowers `other` into bare's framework and gives its layers with parameters bare's groups of tensors: by name
// where all names agree, otherwise in the order of the file. Nothing is paired by shape; shapes only confirm.
Borrowed borrow(const FrameworkModel& bare, const Model& other);

}  // namespace tieout
