// PyTorch's names of element types in pickles (torch/storage.py, torch/_utils.py).
#pragma once

#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace tieout::torch_pt {

// "FloatStorage" -> f32. Nothing for quantised and unknown storages, and for UntypedStorage, which has no
// type.
std::optional<DType> dtype_of_storage(std::string_view class_name);
// Bytes of an element of such a storage, quantised and untyped ones too. Nothing for names that PyTorch does
// not have.
std::optional<std::size_t> element_size_of_storage(std::string_view class_name);
// The inverse of dtype_of_storage; empty for types that only an UntypedStorage holds.
std::string_view storage_of_dtype(DType dtype);

}  // namespace tieout::torch_pt
