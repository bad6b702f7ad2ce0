#include "containers/hdf5/read/dataset.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.h"
#include "containers/hdf5/read/chunked_source.h"

namespace tieout::hdf5 {

namespace {

// Fill value messages, old and new (specification, IV.A.2.e and f): the value's bytes, zeros where none is
// stated; nothing where there is to be no value.
std::optional<std::vector<std::byte>> read_fill(const Image& image, const ObjectHeader& object,
                                                const std::string& path, std::size_t element) {
  constexpr std::uint8_t undefined = 0x10;  // flags of version 3
  constexpr std::uint8_t defined = 0x20;
  std::vector<std::byte> fill(element);
  const Message* message = object.find(MessageKind::fill_value);
  const bool old = message == nullptr;
  if (old) message = object.find(MessageKind::old_fill_value);
  if (message == nullptr) return fill;
  refuse_shared(image, *message, path);
  Cursor body = body_of(image, *message, path);
  if (!old) {
    const std::uint8_t version = body.u8("fill value version");
    if (version < 1 || version > 3) throw body.error(fmt::format("a fill value of version {}", version));
    if (version == 3) {
      const std::uint8_t flags = body.u8("fill value flags");
      if ((flags & undefined) != 0) return std::nullopt;
      if ((flags & defined) == 0) return fill;
    } else {
      body.skip(2);  // when space is taken and the value written
      const std::uint8_t is_defined = body.u8("whether there is a fill value");
      if (version == 2 && is_defined == 0) return std::nullopt;
    }
  }
  const std::uint32_t size = body.u32("size of the fill value");
  if (size == 0) return fill;
  if (size != element)
    throw body.error(fmt::format("a fill value of {} bytes for elements of {}", size, element));
  std::ranges::copy(body.take(size, "fill value"), fill.begin());
  return fill;
}

class DatasetReader {
 public:
  DatasetReader(Image& image, ElementTypes& types, const FileRef& owner, const ObjectHeader& object,
                const std::string& path)
      : image_(image), types_(types), owner_(owner), object_(object), path_(path) {}

  LazyTensor read(const std::string& opaque_name) {
    read_type(opaque_name);
    read_shape();
    if (object_.find(MessageKind::external_files) != nullptr)
      throw unsupported("a dataset whose elements are in another file", where(), store_plainly);
    const Message& message = get(MessageKind::layout);
    const Layout layout = read_layout(image_, message, path_);
    LazyTensor tensor = std::visit([this](const auto& stored) { return open(stored); }, layout);
    if (!type_.big_endian) return tensor;
    tensor.source = byte_swapped(tensor.source, type_.size);
    return tensor;
  }

 private:
  [[nodiscard]] Where where() const { return image_.where(path_, object_.address); }

  const Message& get(MessageKind kind) const {
    const Message& message = *object_.find(kind);  // is_dataset has looked
    if (kind != MessageKind::datatype) refuse_shared(image_, message, path_);
    return message;
  }

  void read_type(const std::string& opaque_name) {
    const Message& message = get(MessageKind::datatype);
    Cursor body = body_of(image_, message, path_);
    type_ = types_.read(body, message.shared, path_);
    if (type_.opaque) type_.number = dtype_of_opaque(type_, opaque_name);
    if (!type_.number)
      throw unsupported(fmt::format("a dataset of an element type that is not a tensor's: {}", type_.name),
                        where());
  }

  void read_shape() {
    Cursor body = body_of(image_, get(MessageKind::dataspace), path_);
    space_ = read_dataspace(body);
    if (space_.null) throw unsupported("a dataset without a shape (h5py.Empty)", where());
    for (const std::uint64_t size : space_.sizes) {
      if (size > INT64_MAX) throw malformed(fmt::format("a dataset with an axis of {}", size), where());
      shape_.push_back(static_cast<std::int64_t>(size));
    }
    try {
      size_ = byte_count(shape_, *type_.number);
    } catch (Error& error) {
      throw error.at(where());
    }
  }

  LazyTensor open(const CompactLayout& layout) const {
    if (layout.elements.size() != size_)
      throw malformed(
          fmt::format("a compact dataset of {} bytes; {} were expected", layout.elements.size(), size_),
          where());
    image_.announce(size_, path_);
    return view_tensor(*type_.number, shape_, layout.elements, owner_);
  }

  LazyTensor open(const ContiguousLayout& layout) const {
    if (size_ == 0) return view_tensor(*type_.number, shape_, {}, owner_);
    const bool written = layout.address != no_address;
    if (written && layout.size != size_)
      throw malformed(fmt::format("a dataset of {} bytes, of which {} are stored", size_, layout.size),
                      where());
    const Bytes elements = written ? image_.bytes(layout.address, size_, path_) : Bytes{};
    image_.announce(size_, path_);
    return written ? view_tensor(*type_.number, shape_, elements, owner_) : never_written();
  }

  LazyTensor open(const ChunkedLayout& layout) const {
    if (layout.element_size != type_.size)
      throw malformed(
          fmt::format("chunks of elements of {} bytes in a dataset of {}", layout.element_size, type_.size),
          where());
    Filters filters;
    if (const Message* message = object_.find(MessageKind::filters)) {
      refuse_shared(image_, *message, path_);
      filters = read_filters(image_, *message, path_);
    }
    if (size_ == 0) return view_tensor(*type_.number, shape_, {}, owner_);
    const ChunkGrid grid = grid_of(layout, space_.sizes, where());
    std::optional<std::uint64_t> chunk_size = type_.size;
    for (const std::uint64_t length : grid.chunk) {
      if (chunk_size) chunk_size = checked_mul(*chunk_size, length);
    }
    if (!chunk_size) throw malformed("chunks of more bytes than can be counted", where());
    std::vector<StoredChunk> chunks = read_chunks(image_, layout, space_, grid, filters, *chunk_size, path_);
    // Chunks at the edge are unpacked whole.
    const std::uint64_t unpacked = checked_mul(chunks.size(), *chunk_size).value_or(no_address);
    image_.announce(std::max(size_, unpacked), path_);
    return made_of(grid, std::move(chunks), std::move(filters));
  }

  LazyTensor never_written() const {
    const std::vector<std::uint64_t> one =
        space_.sizes.empty() ? std::vector<std::uint64_t>{1} : space_.sizes;
    return made_of({one, one, std::vector<std::uint64_t>(one.size(), 1)}, {}, {});
  }

  LazyTensor made_of(const ChunkGrid& grid, std::vector<StoredChunk> chunks, Filters filters) const {
    const auto fill = read_fill(image_, object_, path_, type_.size);
    if (!fill && chunks.size() < grid.count())
      throw malformed("a dataset with elements that were never written and have no fill value", where());
    ChunkedElements elements{grid,
                             std::move(chunks),
                             std::move(filters),
                             fill.value_or(std::vector<std::byte>(type_.size)),
                             owner_,
                             image_.where(path_),
                             image_.superblock().start};
    return {*type_.number, shape_, chunked_source(std::move(elements)), {}};
  }

  Image& image_;
  ElementTypes& types_;
  const FileRef& owner_;
  const ObjectHeader& object_;
  const std::string& path_;
  ElementType type_;
  Dataspace space_;
  Shape shape_;
  std::uint64_t size_ = 0;  // of all elements, in bytes
};

}  // namespace

bool is_dataset(const Image& image, const ObjectHeader& object, const std::string& path) {
  const bool has_space = object.find(MessageKind::dataspace) != nullptr;
  const bool has_layout = object.find(MessageKind::layout) != nullptr;
  const bool has_type = object.find(MessageKind::datatype) != nullptr;
  if (has_space && has_layout && has_type) return true;
  if (has_space || has_layout || !has_type)
    throw malformed("an object that is neither a group, nor a dataset, nor a type",
                    image.where(path, object.address));
  return false;
}

LazyTensor open_dataset(Image& image, ElementTypes& types, const FileRef& owner, const ObjectHeader& object,
                        const std::string& path, const std::string& opaque_name) {
  return DatasetReader(image, types, owner, object, path).read(opaque_name);
}

}  // namespace tieout::hdf5
