// The p-norm of each window.   x: n c s...   ->   y: n c s'...,   y = (sum of x^p)^(1 / p)
//
// Read as the layers that PyTorch computes it with: a power, the mean of each window times the window's
// cells, and the root. A last window that reaches behind the end (ceil_mode) so counts as a whole one. No
// layer of these kinds is ever made.
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

LayerKind lp_pool_kind(std::size_t rank);

}  // namespace tieout
