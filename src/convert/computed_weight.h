// A weight that PyTorch computes from other tensors at each call, computed when it is read.
#pragma once

#include <optional>
#include <string>

#include "tensor/lazy_tensor.h"

namespace tieout {

// torch.nn.utils.weight_norm: g v / ||v||. g has v's rank and its size along the axis that has a norm for
// each of its cells, 1 along the others, or it is a scalar: then the norm is that of all of v. Nothing when g
// and v do not fit, or are not both float32 or both float64.
std::optional<LazyTensor> weight_of_weight_norm(const LazyTensor& g, const LazyTensor& v);

// torch.nn.utils.spectral_norm in evaluation: W / (u . W v), W being seen as a matrix with `axis` as its
// rows. Nothing when u and v do not fit, or the three are not all float32 or all float64.
std::optional<LazyTensor> weight_of_spectral_norm(const LazyTensor& weight, const LazyTensor& u,
                                                  const LazyTensor& v, std::size_t axis);

// "weight_norm" or "spectral_norm" for one of these, whose elements are rounded once, PyTorch's at each step;
// empty for any other tensor.
std::string computed_by(const LazyTensor& tensor);

}  // namespace tieout
