// Cases of the pooling kinds: both frameworks' defaults and the corners where they differ.
#pragma once

#include "layers/shared/pool.h"

namespace tieout {

std::vector<Case> pool_cases(std::size_t rank, PoolOf what);

}  // namespace tieout
