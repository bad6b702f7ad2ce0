#include "containers/hdf5/read/chunked_source.h"

#include <algorithm>
#include <cstring>

namespace tieout::hdf5 {

namespace {

std::uint64_t product(const std::vector<std::uint64_t>& sizes) {
  std::uint64_t all = 1;
  for (const std::uint64_t size : sizes) all *= size;
  return all;
}

class ChunkedSource : public TensorSource {
 public:
  explicit ChunkedSource(ChunkedElements elements) : all_(std::move(elements)) {}

  void read(std::span<std::byte> out) const override {
    const std::size_t element = all_.fill.size();
    if (all_.chunks.size() < all_.grid.count()) {
      for (std::size_t at = 0; at < out.size(); at += element)
        std::memcpy(out.data() + at, all_.fill.data(), element);
    }
    Unfilter unfilter(all_.filters, product(all_.grid.chunk) * element);
    for (const StoredChunk& chunk : all_.chunks) {
      Where where = all_.where;
      where.offset = all_.start + chunk.address;
      place(unfilter.undo(chunk.bytes, chunk.mask, where), chunk.number, out);
    }
  }

 private:
  // Copies what of a chunk lies in the dataset, row after row of the last axis.
  void place(Bytes chunk, std::uint64_t number, std::span<std::byte> out) const {
    const ChunkGrid& grid = all_.grid;
    const std::size_t rank = grid.shape.size();
    std::vector<std::uint64_t> first = grid.place_of(number);
    std::vector<std::uint64_t> sizes(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      first[axis] *= grid.chunk[axis];
      sizes[axis] = std::min(grid.chunk[axis], grid.shape[axis] - first[axis]);
    }
    const std::uint64_t row = sizes[rank - 1] * all_.fill.size();
    std::vector<std::uint64_t> at(rank);  // in the chunk
    for (std::uint64_t left = product(sizes) / sizes[rank - 1]; left > 0; --left) {
      std::uint64_t from = 0;
      std::uint64_t to = 0;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        from = from * grid.chunk[axis] + at[axis];
        to = to * grid.shape[axis] + first[axis] + at[axis];
      }
      std::memcpy(out.data() + to * all_.fill.size(), chunk.data() + from * all_.fill.size(), row);
      for (std::size_t axis = rank - 1; axis-- > 0;) {
        if (++at[axis] < sizes[axis]) break;
        at[axis] = 0;
      }
    }
  }

  ChunkedElements all_;
};

class ByteSwapped : public TensorSource {
 public:
  ByteSwapped(std::shared_ptr<const TensorSource> source, std::size_t element)
      : source_(std::move(source)), element_(element) {}

  void read(std::span<std::byte> out) const override {
    source_->read(out);
    for (std::size_t at = 0; at < out.size(); at += element_) std::ranges::reverse(out.subspan(at, element_));
  }

 private:
  std::shared_ptr<const TensorSource> source_;
  std::size_t element_;
};

}  // namespace

std::shared_ptr<const TensorSource> chunked_source(ChunkedElements elements) {
  return std::make_shared<ChunkedSource>(std::move(elements));
}

std::shared_ptr<const TensorSource> byte_swapped(std::shared_ptr<const TensorSource> source,
                                                 std::size_t element_size) {
  return std::make_shared<ByteSwapped>(std::move(source), element_size);
}

}  // namespace tieout::hdf5
