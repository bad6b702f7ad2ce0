// Elements that are stored in chunks, packed or not, or not at all.
#pragma once

#include <memory>
#include <vector>

#include "base/mapped_file.h"
#include "containers/hdf5/read/chunk_index.h"
#include "tensor/lazy_tensor.h"

namespace tieout::hdf5 {

struct ChunkedElements {
  ChunkGrid grid;
  std::vector<StoredChunk> chunks;  // the others are made of `fill`
  Filters filters;
  std::vector<std::byte> fill;  // one element
  FileRef owner;                // of the chunks' bytes
  Where where;                  // the dataset
  std::uint64_t start = 0;      // of the HDF5 file in `owner`, for messages
};

// Reads chunk after chunk: beside the elements themselves, no more than the largest chunk is in memory.
std::shared_ptr<const TensorSource> chunked_source(ChunkedElements elements);

// The elements of `source`, each of `element_size` bytes, with the bytes of each turned round.
std::shared_ptr<const TensorSource> byte_swapped(std::shared_ptr<const TensorSource> source,
                                                 std::size_t element_size);

}  // namespace tieout::hdf5
