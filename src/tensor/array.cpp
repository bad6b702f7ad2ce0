#include "tensor/array.h"

#include <span>

#include "tensor/rearrange.h"

namespace tieout {

Array permuted(const Array& array, const std::vector<int>& order) {
  StridedLoop loop;
  std::vector<std::int64_t> strides(array.rank(), 1);
  for (std::size_t k = array.rank(); k-- > 1;) strides[k - 1] = strides[k] * array.shape[k];
  for (const int axis : order) {
    loop.sizes.push_back(array.shape.at(static_cast<std::size_t>(axis)));
    loop.source_strides.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  Array result(loop.sizes);
  loop.target_strides.assign(order.size(), 1);
  for (std::size_t k = order.size(); k-- > 1;)
    loop.target_strides[k - 1] = loop.target_strides[k] * loop.sizes[k];
  copy_elements({loop}, sizeof(double), std::as_bytes(std::span(array.data)),
                std::as_writable_bytes(std::span(result.data)));
  return result;
}

}  // namespace tieout
