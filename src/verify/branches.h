// Branches that are joined in another order.
#pragma once

#include <optional>
#include <vector>

#include "verify/diagnose.h"

namespace tieout {

// Layers correspond in the order of the data, which is that of the branches where they are joined: joined in
// another order, each branch is compared with another one, and differs. `value` is such a value of b. What
// the join behind it says when it has its inputs in the order of a mistake that its kind knows, if it then
// ties out. The inputs are each in its side's layout; `relative` as in diagnose.h.
std::optional<Diagnosis> other_branch_order(const DiagnosedSide& a, const std::vector<Array>& inputs_a,
                                            const DiagnosedSide& b, const std::vector<Array>& inputs_b,
                                            int value, const std::vector<double>& relative);

}  // namespace tieout
