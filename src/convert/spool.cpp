#include "convert/spool.h"

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/scratch_file.h"

namespace tieout {

namespace {

// A few threads may each hold one that is smaller, and what it becomes.
constexpr std::uint64_t most_in_memory = std::uint64_t{32} << 20;

class SpooledSource final : public TensorSource {
 public:
  SpooledSource(std::shared_ptr<const TensorSource> source, std::uint64_t size)
      : source_(std::move(source)), size_(size) {}

  void read(std::span<std::byte> out) const override { std::memcpy(out.data(), view().data(), out.size()); }

  [[nodiscard]] Bytes view() const override {
    std::call_once(once_, [this] {
      auto file = std::make_unique<ScratchFile>(size_);
      source_->read(file->bytes());
      file_ = std::move(file);
    });
    return file_->bytes();
  }
  [[nodiscard]] std::uint64_t viewed() const override { return size_; }

 private:
  std::shared_ptr<const TensorSource> source_;
  std::uint64_t size_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<ScratchFile> file_;
};

}  // namespace

void spool_large_tensors(FrameworkModel& file) {
  std::map<const TensorSource*, std::shared_ptr<const TensorSource>> spooled;  // tied tensors have one source
  for (auto& [name, tensor] : file.tensors) {
    const std::uint64_t size = byte_count(tensor.shape, tensor.dtype);
    if (size <= most_in_memory || tensor.source->viewed() > 0) continue;
    auto& source = spooled[tensor.source.get()];
    if (!source) source = std::make_shared<SpooledSource>(tensor.source, size);
    tensor.source = source;
  }
}

}  // namespace tieout
