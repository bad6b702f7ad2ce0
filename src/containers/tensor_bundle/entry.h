// The values of a bundle's table (tensorflow/core/protobuf/tensor_bundle.proto).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "containers/tensor_bundle/table.h"
#include "tensor/shape.h"

namespace tieout::tensor_bundle {

// BundleHeaderProto {1: num_shards, 2: endianness (0: little), 3: version {1: producer, 2: min_consumer}},
// the value of the empty key. The number of data files; Error(unsupported) for big-endian bundles and
// versions that ask for a newer reader.
std::uint64_t read_header(const TableEntry& entry, const Where& where);
std::string header_of(std::uint64_t shards);

// The part of a tensor that lies under a key of its own.
struct Slice {
  struct Extent {
    std::int64_t start = 0;
    std::int64_t length = unknown;  // the whole axis
  };
  std::vector<Extent> extents;  // one for each axis

  // The key of a slice of the tensor `name` (EncodeTensorNameSlice in
  // tensorflow/core/util/saved_tensor_slice_util.cc).
  [[nodiscard]] std::string key(const std::string& name) const;
};

// BundleEntryProto {1: dtype, 2: shape {2: dim {1: size}}, 3: shard_id, 4: offset, 5: size, 6: masked
// CRC-32C, 7: slices {1: extent {1: start, 2: length}}}. Zeros are left out.
struct BundleEntry {
  std::uint64_t type = 0;  // tensorflow.DataType
  Shape shape;
  std::uint64_t shard = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  std::vector<Slice> slices;
};

BundleEntry read_entry(const TableEntry& entry, const Where& where);
std::string to_proto(const BundleEntry& entry);

constexpr std::uint64_t string_type = 7;

// tensorflow.DataType (tensorflow/core/framework/types.proto); nothing for types that no model's tensor has.
std::optional<DType> dtype_of_type(std::uint64_t type);
// Error(unsupported) for a type that TensorFlow does not have.
std::uint64_t type_of_dtype(DType dtype);

}  // namespace tieout::tensor_bundle
