#include "formats/torch_pt/strided_source.h"

#include <cstring>
#include <utility>

#include "base/checked.h"

namespace tieout::torch_pt {

namespace {

class ContiguousSource : public TensorSource {
 public:
  ContiguousSource(std::shared_ptr<const Storage> storage, std::uint64_t offset, std::uint64_t size)
      : storage_(std::move(storage)), offset_(offset), size_(size) {}

  void read(std::span<std::byte> out) const override {
    const Bytes bytes = view();
    if (out.size() != bytes.size()) throw internal_error("a tensor was read into a buffer of another size");
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size());
  }
  [[nodiscard]] Bytes view() const override { return storage_->bytes().subspan(offset_, size_); }
  [[nodiscard]] std::uint64_t viewed() const override { return size_; }

 private:
  std::shared_ptr<const Storage> storage_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

class StridedSource : public TensorSource {
 public:
  StridedSource(Layout layout, std::shared_ptr<const Storage> storage)
      : layout_(std::move(layout)), storage_(std::move(storage)) {}

  void read(std::span<std::byte> out) const override {
    if (out.size() != byte_count(layout_.shape, layout_.dtype)) {
      throw internal_error("a tensor was read into a buffer of another size");
    }
    const std::byte* storage = storage_->bytes().data();
    const std::size_t size = size_of(layout_.dtype);
    const std::size_t rank = layout_.shape.size();
    std::vector<std::int64_t> index(rank, 0);
    std::int64_t element = layout_.offset;
    // An odometer: the last axis turns fastest.
    for (std::size_t at = 0; at < out.size(); at += size) {
      std::memcpy(out.data() + at, storage + static_cast<std::size_t>(element) * size, size);
      for (std::size_t axis = rank; axis-- > 0;) {
        element += layout_.strides[axis];
        if (++index[axis] < layout_.shape[axis]) break;
        element -= layout_.strides[axis] * layout_.shape[axis];
        index[axis] = 0;
      }
    }
  }

 private:
  Layout layout_;
  std::shared_ptr<const Storage> storage_;
};

}  // namespace

bool is_contiguous(const Layout& layout) {
  std::int64_t expected = 1;
  for (std::size_t axis = layout.shape.size(); axis-- > 0;) {
    if (layout.shape[axis] == 1) continue;
    if (layout.strides[axis] != expected) return false;
    expected *= layout.shape[axis];
  }
  return true;
}

std::uint64_t extent(const Layout& layout) {
  if (element_count(layout.shape) == 0) return 0;
  std::optional<std::uint64_t> last = static_cast<std::uint64_t>(layout.offset);
  for (std::size_t axis = 0; axis < layout.shape.size() && last; ++axis) {
    const auto step = checked_mul(static_cast<std::uint64_t>(layout.shape[axis] - 1),
                                  static_cast<std::uint64_t>(layout.strides[axis]));
    last = step ? checked_add(*last, *step) : std::nullopt;
  }
  if (last) last = checked_add(*last, 1);
  if (!last)
    throw malformed("the strides of a tensor of shape " + to_string(layout.shape) + " overflow 64 bits");
  return *last;
}

std::shared_ptr<const TensorSource> strided_source(Layout layout, std::shared_ptr<const Storage> storage) {
  const std::uint64_t bytes = byte_count(layout.shape, layout.dtype);
  if (bytes == 0) return std::make_shared<ContiguousSource>(std::move(storage), 0, 0);
  if (is_contiguous(layout)) {
    const std::uint64_t offset = static_cast<std::uint64_t>(layout.offset) * size_of(layout.dtype);
    return std::make_shared<ContiguousSource>(std::move(storage), offset, bytes);
  }
  // A stride that is never taken can be any number; it must not overflow in the walk.
  for (std::size_t axis = 0; axis < layout.shape.size(); ++axis) {
    if (layout.shape[axis] == 1) layout.strides[axis] = 0;
  }
  return std::make_shared<StridedSource>(std::move(layout), std::move(storage));
}

}  // namespace tieout::torch_pt
