#include "formats/torch_pt/torch_dtype.h"

#include <algorithm>
#include <array>

namespace tieout::torch_pt {

namespace {

struct Entry {
  DType dtype;
  std::string_view storage;
};

constexpr std::array<Entry, 12> storages{{{DType::f32, "FloatStorage"},
                                          {DType::f64, "DoubleStorage"},
                                          {DType::f16, "HalfStorage"},
                                          {DType::bf16, "BFloat16Storage"},
                                          {DType::i8, "CharStorage"},
                                          {DType::i16, "ShortStorage"},
                                          {DType::i32, "IntStorage"},
                                          {DType::i64, "LongStorage"},
                                          {DType::u8, "ByteStorage"},
                                          {DType::boolean, "BoolStorage"},
                                          {DType::c64, "ComplexFloatStorage"},
                                          {DType::c128, "ComplexDoubleStorage"}}};

}  // namespace

std::optional<DType> dtype_of_storage(std::string_view class_name) {
  const auto found = std::ranges::find(storages, class_name, &Entry::storage);
  return found == storages.end() ? std::nullopt : std::optional(found->dtype);
}

std::string_view storage_of_dtype(DType dtype) {
  const auto found = std::ranges::find(storages, dtype, &Entry::dtype);
  return found == storages.end() ? std::string_view{} : found->storage;
}

}  // namespace tieout::torch_pt
