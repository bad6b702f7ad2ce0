// Values that no trained weight should have.
#pragma once

#include <cstdint>

#include "tensor/lazy_tensor.h"

namespace tieout {

struct SpecialValues {
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
  std::uint64_t floats = 0;  // elements looked at: 0 for integers; the parts of complex numbers count each
};

// Reads the tensor once, in parts; from damaged files Error as reading it.
SpecialValues special_values(const LazyTensor& tensor);

}  // namespace tieout
