// Two arrays side by side.
#pragma once

#include <string>

#include "model/model.h"
#include "tensor/array.h"

namespace tieout {

struct Comparison {
  double max_abs = 0;    // infinite where one side alone has a NaN or an infinity
  double magnitude = 0;  // the largest absolute finite value of either side
  bool ties_out = false;
  std::string note;

  // max_abs over the magnitude; not over each element: a difference next to a zero says nothing.
  [[nodiscard]] double max_rel() const;
};

// `b` lies as `axes_b`, and is brought into a's layout first. Ties out when no element is further apart than
// `relative` times the magnitude. NaN and infinities are equal to themselves in the same place only; a note
// tells how many there are. Axes that do not correspond and shapes that differ do not tie out; the note says
// so.
Comparison compare(const Array& a, const Axes& axes_a, const Array& b, const Axes& axes_b, double relative);

}  // namespace tieout
