#include "tensor/lazy_tensor.h"

#include <cstring>

#include "tieout/error.h"

namespace tieout {

namespace {

class MemorySource : public TensorSource {
 public:
  MemorySource(Bytes bytes, std::shared_ptr<const void> owner) : bytes_(bytes), owner_(std::move(owner)) {}
  void read(std::span<std::byte> out) const override {
    if (out.size() != bytes_.size()) throw internal_error("a tensor was read into a buffer of another size");
    if (!out.empty()) std::memcpy(out.data(), bytes_.data(), out.size());
  }
  [[nodiscard]] Bytes view() const override { return bytes_; }

 private:
  Bytes bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace

std::vector<TensorPart> TensorSource::parts(std::uint64_t size, std::uint64_t) const {
  return {{.begin = 0, .run = size, .count = 1, .stride = size, .level = 0, .first = 0, .last = 0}};
}

void TensorSource::read_part(const TensorPart&, std::span<std::byte> out) const {
  read(out);
}

std::vector<std::byte> LazyTensor::load() const {
  std::vector<std::byte> bytes(byte_count(shape, dtype));
  source->read(bytes);
  return bytes;
}

LazyTensor view_tensor(DType dtype, Shape shape, Bytes bytes, std::shared_ptr<const void> owner) {
  if (bytes.size() != byte_count(shape, dtype)) throw internal_error("a tensor's bytes do not fit its shape");
  return {dtype, std::move(shape), std::make_shared<MemorySource>(bytes, std::move(owner)), {}};
}

LazyTensor make_tensor(DType dtype, Shape shape, std::vector<std::byte> bytes) {
  const auto owned = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return view_tensor(dtype, std::move(shape), *owned, owned);
}

}  // namespace tieout
