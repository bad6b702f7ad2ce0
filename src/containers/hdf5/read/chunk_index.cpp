#include "containers/hdf5/read/chunk_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.h"
#include "containers/hdf5/read/btree1.h"
#include "containers/hdf5/read/btree2.h"
#include "containers/hdf5/read/chunk_array.h"

namespace tieout::hdf5 {

namespace {

std::vector<std::uint64_t> counts_of(const std::vector<std::uint64_t>& shape,
                                     const std::vector<std::uint64_t>& chunk) {
  std::vector<std::uint64_t> counts;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    counts.push_back(shape[axis] / chunk[axis] + (shape[axis] % chunk[axis] != 0 ? 1 : 0));
  return counts;
}

std::uint64_t product(const std::vector<std::uint64_t>& sizes, const Where& where) {
  std::uint64_t all = 1;
  for (const std::uint64_t size : sizes) {
    const auto next = checked_mul(all, size);
    if (!next) throw malformed("chunks that are too many or too large to be counted", where);
    all = *next;
  }
  return all;
}

class ChunkReader {
 public:
  ChunkReader(Image& image, const ChunkedLayout& layout, const Dataspace& space, const ChunkGrid& grid,
              const Filters& filters, std::uint64_t chunk_size, const std::string& path)
      : image_(image),
        layout_(layout),
        space_(space),
        grid_(grid),
        filters_(filters),
        chunk_size_(chunk_size),
        path_(path) {}

  std::vector<StoredChunk> read() {
    if (layout_.address == no_address) return {};
    switch (layout_.index) {
      case ChunkIndex::btree1:
        read_btree1();
        break;
      case ChunkIndex::single:
        read_single();
        break;
      case ChunkIndex::implicit:
        read_implicit();
        break;
      case ChunkIndex::fixed_array:
        read_fixed();
        break;
      case ChunkIndex::extensible_array:
        read_extensible();
        break;
      case ChunkIndex::btree2:
        read_btree2();
        break;
    }
    std::ranges::sort(chunks_, {}, &StoredChunk::number);
    const auto twice = std::ranges::adjacent_find(chunks_, {}, &StoredChunk::number);
    if (twice != chunks_.end())
      throw malformed("a chunk that is stored twice", image_.where(path_, twice->address));
    return std::move(chunks_);
  }

 private:
  // Keys: bytes in the file, filter mask, the first element's place along each axis, and a zero.
  void read_btree1() {
    const std::uint64_t key_size = 4 + 4 + 8 * (grid_.shape.size() + 1);
    walk_btree1(image_, layout_.address, Btree1::chunks, key_size, path_,
                [this](Cursor& key, std::uint64_t address) {
                  const std::uint32_t size = key.u32("size of a chunk");
                  const std::uint32_t mask = key.u32("filter mask");
                  std::vector<std::uint64_t> place;
                  for (const std::uint64_t length : grid_.chunk) {
                    const std::uint64_t first = key.u64("place of a chunk");
                    if (first % length != 0)
                      throw key.error(fmt::format("a chunk that begins at {} of an axis", first));
                    place.push_back(first / length);
                  }
                  add(address, size, mask, number_of(place, key));
                });
  }

  void read_single() {
    if (grid_.count() != 1)
      throw malformed("a dataset of several chunks of which one is stored",
                      image_.where(path_, layout_.address));
    const std::uint64_t size = layout_.single_is_filtered ? layout_.single_size : chunk_size_;
    add(layout_.address, size, layout_.single_mask, 0);
  }

  // One behind the other, those that the dataset may still grow by too.
  void read_implicit() {
    const Where where = image_.where(path_, layout_.address);
    if (!filters_.empty()) throw malformed("packed chunks without an index", where);
    const std::uint64_t slots = product(counts_of(space_.most, grid_.chunk), where);
    const auto size = checked_mul(slots, chunk_size_);
    static_cast<void>(image_.bytes(layout_.address, size.value_or(no_address), path_));  // all are there
    image_.charge(grid_.count() * sizeof(StoredChunk),
                  path_);  // the file has nothing for each that is charged for
    for (std::uint64_t number = 0; number < grid_.count(); ++number)
      add(layout_.address + slot_of(number) * chunk_size_, chunk_size_, 0, number);
  }

  void read_fixed() {
    const Where where = image_.where(path_, layout_.address);
    const std::uint64_t slots = product(counts_of(space_.most, grid_.chunk), where);
    add(read_fixed_array(image_, layout_.address, array_kind(), slots, path_), 0);
  }

  // The axis that can grow comes first in the order of the slots.
  void read_extensible() {
    const auto growing = std::ranges::find(space_.most, no_address);
    if (growing == space_.most.end())
      throw malformed("a growing index of a dataset that cannot grow", image_.where(path_, layout_.address));
    add(read_extensible_array(image_, layout_.address, array_kind(), path_),
        static_cast<std::size_t>(growing - space_.most.begin()));
  }

  [[nodiscard]] ArrayKind array_kind() const { return {!filters_.empty(), chunk_size_}; }

  void add(const std::vector<ArrayEntry>& entries, std::size_t first_axis) {
    for (const ArrayEntry& entry : entries) {
      if (const auto number = number_in_slot(entry.slot, first_axis))
        add(entry.address, entry.size, entry.mask, *number);
    }
  }

  void read_btree2() {
    const bool filtered = !filters_.empty();
    const Btree2 type = filtered ? Btree2::filtered_chunks : Btree2::chunks;
    walk_btree2(image_, layout_.address, type, path_, [this, filtered](Cursor& record) {
      const std::uint64_t address = record.address("chunk");
      const std::uint64_t places_size = 8 * grid_.shape.size();
      std::uint64_t size = chunk_size_;
      std::uint32_t mask = 0;
      if (filtered) {
        if (record.remaining() < 4 + places_size) throw record.error("a record of a chunk that is too short");
        size = record.number(record.remaining() - 4 - places_size, "size of a chunk");
        mask = record.u32("filter mask");
      }
      std::vector<std::uint64_t> place;
      for (std::size_t axis = 0; axis < grid_.shape.size(); ++axis)
        place.push_back(record.u64("place of a chunk"));
      add(address, size, mask, number_of(place, record));
    });
  }

  std::uint64_t number_of(const std::vector<std::uint64_t>& place, const Cursor& at) const {
    std::uint64_t number = 0;
    for (std::size_t axis = 0; axis < place.size(); ++axis) {
      if (place[axis] >= grid_.counts[axis]) throw at.error("a chunk outside its dataset");
      number = number * grid_.counts[axis] + place[axis];
    }
    return number;
  }

  // Arrays have a slot for each chunk that the dataset may grow to.
  std::uint64_t slot_of(std::uint64_t number) const {
    const std::vector<std::uint64_t> most = counts_of(space_.most, grid_.chunk);
    const std::vector<std::uint64_t> place = grid_.place_of(number);
    std::uint64_t slot = 0;
    for (std::size_t axis = 0; axis < place.size(); ++axis) slot = slot * most[axis] + place[axis];
    return slot;
  }

  // Nothing for a chunk beyond the dataset's present size.
  [[nodiscard]] std::optional<std::uint64_t> number_in_slot(std::uint64_t slot,
                                                            std::size_t first_axis) const {
    const std::vector<std::uint64_t> most = counts_of(space_.most, grid_.chunk);
    std::vector<std::uint64_t> place(most.size());
    for (std::size_t axis = most.size(); axis-- > 0;) {
      if (axis == first_axis) continue;
      if (most[axis] == 0) return std::nullopt;
      place[axis] = slot % most[axis];
      slot /= most[axis];
    }
    place[first_axis] = slot;
    std::uint64_t number = 0;
    for (std::size_t axis = 0; axis < place.size(); ++axis) {
      if (place[axis] >= grid_.counts[axis]) return std::nullopt;
      number = number * grid_.counts[axis] + place[axis];
    }
    return number;
  }

  void add(std::uint64_t address, std::uint64_t size, std::uint32_t mask, std::uint64_t number) {
    if (address == no_address) return;
    const Bytes bytes = image_.bytes(address, size, path_);
    if (!can_hold(filters_, mask, size, chunk_size_))
      throw malformed(fmt::format("a chunk of {} bytes stored in {}", chunk_size_, size),
                      image_.where(path_, address));
    chunks_.push_back({number, mask, address, bytes});
  }

  Image& image_;
  const ChunkedLayout& layout_;
  const Dataspace& space_;
  const ChunkGrid& grid_;
  const Filters& filters_;
  std::uint64_t chunk_size_;
  const std::string& path_;
  std::vector<StoredChunk> chunks_;
};

}  // namespace

std::uint64_t ChunkGrid::count() const {
  std::uint64_t all = 1;
  for (const std::uint64_t along : counts) all *= along;
  return all;
}

std::vector<std::uint64_t> ChunkGrid::place_of(std::uint64_t number) const {
  std::vector<std::uint64_t> place(counts.size());
  for (std::size_t axis = counts.size(); axis-- > 0; number /= counts[axis])
    place[axis] = number % counts[axis];
  return place;
}

ChunkGrid grid_of(const ChunkedLayout& layout, const std::vector<std::uint64_t>& shape, const Where& where) {
  if (layout.chunk.size() != shape.size())
    throw malformed(fmt::format("chunks of {} axes in a dataset of {}", layout.chunk.size(), shape.size()),
                    where);
  ChunkGrid grid{shape, layout.chunk, counts_of(shape, layout.chunk)};
  product(grid.counts, where);
  return grid;
}

std::vector<StoredChunk> read_chunks(Image& image, const ChunkedLayout& layout, const Dataspace& space,
                                     const ChunkGrid& grid, const Filters& filters, std::uint64_t chunk_size,
                                     const std::string& path) {
  return ChunkReader(image, layout, space, grid, filters, chunk_size, path).read();
}

}  // namespace tieout::hdf5
