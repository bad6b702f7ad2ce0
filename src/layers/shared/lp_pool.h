// The p-norm of each window.   x: n c s...   ->   y: n c s'...,   y = (sum of x^p)^(1 / p)
//
// Settings: norm p; kernel, strides, one number for each spatial axis; ceil (a last window may reach behind
// the end; its sum is then scaled up to a whole window's).
#pragma once

#include "layers/layer_kind.h"

namespace tieout {

LayerKind lp_pool_kind(std::size_t rank);

}  // namespace tieout
