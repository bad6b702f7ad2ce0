// Elements of a storage, gathered through strides.
#pragma once

#include <memory>

#include "formats/torch_pt/storages.h"
#include "tensor/lazy_tensor.h"

namespace tieout::torch_pt {

// Where a tensor lies in its storage. Offset and strides count elements.
struct Layout {
  DType dtype = DType::f32;
  Shape shape;
  std::vector<std::int64_t> strides;  // one for each axis, none negative
  std::int64_t offset = 0;
};

// Whether the elements lie row-major without gaps; the stride of an axis of size 1 does not matter.
bool is_contiguous(const Layout& layout);

// Elements from the first to behind the last one that is used, counted from the storage's beginning.
// Error(malformed) when that overflows.
std::uint64_t extent(const Layout& layout);

// `layout` must fit the storage (extent).
std::shared_ptr<const TensorSource> strided_source(Layout layout, std::shared_ptr<const Storage> storage);

}  // namespace tieout::torch_pt
