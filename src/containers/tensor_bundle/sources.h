// Where a bundle's tensors get their elements from.
#pragma once

#include <memory>
#include <vector>

#include "base/mapped_file.h"
#include "base/shared_crc.h"
#include "tensor/lazy_tensor.h"

namespace tieout::tensor_bundle {

// A run of bytes of a data file, whose checksum is computed once, and compared before they are given out.
class CheckedBytes : public TensorSource {
 public:
  CheckedBytes(FileRef file, std::uint64_t offset, std::uint64_t size, std::uint32_t masked_crc, Where where);

  void read(std::span<std::byte> out) const override;
  [[nodiscard]] Bytes view() const override;
  [[nodiscard]] std::uint64_t viewed() const override { return bytes_.size(); }

 private:
  FileRef file_;
  Bytes bytes_;
  std::uint32_t masked_crc_;
  SharedCrc crc_;
  Where where_;
};

// Tensors that are one, along an axis: its rows, of which each part has `row` bytes.
class Joined : public TensorSource {
 public:
  struct Part {
    std::uint64_t row = 0;
    std::shared_ptr<const TensorSource> source;
  };
  explicit Joined(std::vector<Part> parts);

  void read(std::span<std::byte> out) const override;
  [[nodiscard]] std::vector<TensorPart> parts(std::uint64_t size, std::uint64_t most) const override;
  void read_part(const TensorPart& part, std::span<std::byte> out) const override;

 private:
  std::vector<Part> parts_;
  std::uint64_t row_ = 0;  // bytes, of all parts
};

}  // namespace tieout::tensor_bundle
