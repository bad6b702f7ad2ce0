// A plan as people read it.
#pragma once

#include <string>

#include "convert/plan.h"

namespace tieout {

// One line a target tensor: its shape, its sources, the arrangement; then what has no partner.
std::string plan_text(const Plan& plan);

}  // namespace tieout
