// Which chunks of a dataset are stored, and where (specification, III.A and VII).
#pragma once

#include <string>
#include <vector>

#include "containers/hdf5/read/dataspace.h"
#include "containers/hdf5/read/filters.h"
#include "containers/hdf5/read/layout.h"

namespace tieout::hdf5 {

// The blocks of one shape that a dataset is cut into; those at the far edges may reach beyond it. Chunks are
// numbered in row-major order.
struct ChunkGrid {
  std::vector<std::uint64_t> shape;   // of the dataset, all at least 1
  std::vector<std::uint64_t> chunk;   // of a chunk
  std::vector<std::uint64_t> counts;  // chunks along each axis

  [[nodiscard]] std::uint64_t count() const;  // of all chunks
  // Where chunk `number` stands, in chunks along each axis.
  [[nodiscard]] std::vector<std::uint64_t> place_of(std::uint64_t number) const;
};

struct StoredChunk {
  std::uint64_t number = 0;
  std::uint32_t mask = 0;  // filters that were left out
  std::uint64_t address = 0;
  Bytes bytes;
};

// Error(malformed) when a chunk has more elements, or the dataset more chunks, than can be counted.
ChunkGrid grid_of(const ChunkedLayout& layout, const std::vector<std::uint64_t>& shape, const Where& where);

// The stored chunks, by their numbers, each once; bytes that cannot be unpacked to `chunk_size` are damage.
std::vector<StoredChunk> read_chunks(Image& image, const ChunkedLayout& layout, const Dataspace& space,
                                     const ChunkGrid& grid, const Filters& filters, std::uint64_t chunk_size,
                                     const std::string& path);

}  // namespace tieout::hdf5
