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

struct Plain {
  std::string_view storage;
  std::size_t element_size;
};

// c10/util/qint8.h and its neighbours: those of 4 and 2 bits are counted in bytes.
constexpr std::array<Plain, 6> without_dtype{{{"QInt8Storage", 1},
                                              {"QUInt8Storage", 1},
                                              {"QInt32Storage", 4},
                                              {"QUInt4x2Storage", 1},
                                              {"QUInt2x4Storage", 1},
                                              {"UntypedStorage", 1}}};

}  // namespace

std::optional<std::size_t> element_size_of_storage(std::string_view class_name) {
  if (const auto dtype = dtype_of_storage(class_name)) return size_of(*dtype);
  const auto found = std::ranges::find(without_dtype, class_name, &Plain::storage);
  return found == without_dtype.end() ? std::nullopt : std::optional(found->element_size);
}

std::optional<DType> dtype_of_storage(std::string_view class_name) {
  const auto found = std::ranges::find(storages, class_name, &Entry::storage);
  return found == storages.end() ? std::nullopt : std::optional(found->dtype);
}

std::string_view storage_of_dtype(DType dtype) {
  const auto found = std::ranges::find(storages, dtype, &Entry::dtype);
  return found == storages.end() ? std::string_view{} : found->storage;
}

}  // namespace tieout::torch_pt
