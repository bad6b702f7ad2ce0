#include "containers/hdf5/read/layout.h"

#include <fmt/format.h>

namespace tieout::hdf5 {

namespace {

// Layout classes.
constexpr std::uint8_t compact = 0;
constexpr std::uint8_t contiguous = 1;
constexpr std::uint8_t chunked = 2;
constexpr std::uint8_t virtual_dataset = 3;

// Flags of version 4.
constexpr std::uint8_t edges_without_filters = 0x01;
constexpr std::uint8_t single_with_filters = 0x02;

void take_sizes(Cursor& body, std::uint64_t count, std::size_t bytes, ChunkedLayout& layout) {
  for (std::uint64_t axis = 0; axis < count; ++axis) {
    const std::uint64_t size = body.number(bytes, "size of a chunk");
    if (size == 0) throw body.error("chunks without elements");
    layout.chunk.push_back(size);
  }
  layout.element_size = layout.chunk.back();
  layout.chunk.pop_back();
}

// The number of axes, and one for the bytes of an element.
std::uint8_t take_rank(Cursor& body) {
  constexpr int max_rank = 32;
  const std::uint8_t rank = body.u8("number of axes");
  if (rank < 2 || rank > max_rank + 1) throw body.error(fmt::format("chunks of {} axes", rank - 1));
  return rank;
}

ChunkedLayout read_chunked3(Cursor& body) {
  ChunkedLayout layout;
  const std::uint8_t rank = take_rank(body);
  layout.address = body.address("index of chunks");
  take_sizes(body, rank, 4, layout);
  return layout;
}

// Behind each kind stand the settings of its index, which the index itself states too.
ChunkIndex take_index(Cursor& body) {
  switch (const std::uint8_t index = body.u8("kind of the index of chunks")) {
    case 1:
      return ChunkIndex::single;
    case 2:
      return ChunkIndex::implicit;
    case 3:
      body.skip(1);
      return ChunkIndex::fixed_array;
    case 4:
      body.skip(5);
      return ChunkIndex::extensible_array;
    case 5:
      body.skip(6);
      return ChunkIndex::btree2;
    default:
      throw body.error(fmt::format("an index of chunks of the unknown kind {}", index));
  }
}

ChunkedLayout read_chunked4(Cursor& body, const Where& where) {
  ChunkedLayout layout;
  const std::uint8_t flags = body.u8("layout flags");
  if ((flags & edges_without_filters) != 0)
    throw unsupported("a dataset whose chunks at the edge are stored without its filters", where,
                      store_plainly);
  const std::uint8_t rank = take_rank(body);
  const std::uint8_t bytes = body.u8("bytes of a size");
  take_sizes(body, rank, bytes, layout);
  layout.index = take_index(body);
  layout.single_is_filtered = layout.index == ChunkIndex::single && (flags & single_with_filters) != 0;
  if (layout.single_is_filtered) {
    layout.single_size = body.length("size of the chunk");
    layout.single_mask = body.u32("filter mask");
  }
  layout.address = body.address("index of chunks");
  return layout;
}

}  // namespace

Layout read_layout(const Image& image, const Message& message, const std::string& path) {
  const Where where = image.where(path, message.address);
  Cursor body = body_of(image, message, path);
  const std::uint8_t version = body.u8("layout version");
  if (version != 3 && version != 4)
    throw unsupported(fmt::format("a dataset with an HDF5 data layout of version {}", version), where,
                      store_plainly);
  switch (const std::uint8_t kind = body.u8("layout class")) {
    case compact:
      return CompactLayout{body.take(body.u16("size"), "elements")};
    case contiguous: {
      const std::uint64_t address = body.address("elements");
      return ContiguousLayout{address, body.length("size")};
    }
    case chunked:
      return version == 3 ? read_chunked3(body) : read_chunked4(body, where);
    case virtual_dataset:
      throw unsupported("a virtual dataset", where, store_plainly);
    default:
      throw body.error(fmt::format("a dataset of the unknown layout {}", kind));
  }
}

}  // namespace tieout::hdf5
