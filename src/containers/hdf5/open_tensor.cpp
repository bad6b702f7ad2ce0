#include <algorithm>

#include <fmt/format.h>

#include "base/checked.h"
#include "containers/hdf5/datatype.h"
#include "containers/hdf5/open_file.h"

namespace tieout::hdf5 {

namespace {

// deflate packs at most 1032 bytes into one; a dataset that claims more is a claim without elements.
constexpr std::uint64_t max_expansion = 1032;

// Elements that libhdf5 must fetch: chunked, compressed, compact or big-endian.
class DatasetSource : public TensorSource {
 public:
  DatasetSource(std::shared_ptr<const OpenFile> file, haddr_t address, std::string path, DType dtype)
      : file_(std::move(file)), address_(address), path_(std::move(path)), dtype_(dtype) {}

  void read(std::span<std::byte> out) const override {
    prepare_library();
    const Handle dataset(H5Oopen_by_addr(file_->handle.id(), address_), H5Oclose);
    if (!dataset.ok()) throw file_->damaged("the dataset", path_);
    const Handle type = type_of(dtype_);
    const Handle space(H5Dget_space(dataset.id()), H5Sclose);
    const hssize_t count = space.ok() ? H5Sget_simple_extent_npoints(space.id()) : -1;
    if (count < 0 || static_cast<std::uint64_t>(count) * size_of(dtype_) != out.size()) {
      throw internal_error("a tensor was read into a buffer of another size");
    }
    if (H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) < 0) {
      throw file_->damaged("the dataset's elements", path_);
    }
  }

 private:
  std::shared_ptr<const OpenFile> file_;
  haddr_t address_;
  std::string path_;
  DType dtype_;
};

Shape shape_of(const OpenFile& file, hid_t dataset, const std::string& path) {
  const Handle space(H5Dget_space(dataset), H5Sclose);
  if (!space.ok()) throw file.damaged("the dataset's shape", path);
  const H5S_class_t kind = H5Sget_simple_extent_type(space.id());
  if (kind == H5S_SCALAR) return {};
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (kind != H5S_SIMPLE || rank < 0) throw malformed("a dataset without a shape", file.where(path));
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  if (H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr) < 0) throw file.damaged("the shape", path);
  Shape shape;
  for (const hsize_t size : sizes) {
    if (size > INT64_MAX)
      throw malformed(fmt::format("a dataset with an axis of {}", size), file.where(path));
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

void check_filters(const OpenFile& file, hid_t properties, const std::string& path) {
  const int count = H5Pget_nfilters(properties);
  if (count < 0) throw file.damaged("the dataset's filters", path);
  for (unsigned i = 0; i < static_cast<unsigned>(count); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    char name[64] = "";
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, i, &flags, &values, nullptr, sizeof(name) - 1, name, nullptr);
    if (filter < 0) throw file.damaged("the dataset's filters", path);
    if (filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32)
      continue;
    throw unsupported(
        fmt::format("a dataset packed with the HDF5 filter {} \"{}\"", static_cast<int>(filter), name),
        file.where(path), "store it again with gzip or without compression (h5repack)");
  }
}

// Chunks are as large as the file says, and libhdf5 takes that much memory for one.
void check_chunks(const OpenFile& file, hid_t dataset, hid_t properties, const std::string& path, DType dtype,
                  std::uint64_t size) {
  const std::uint64_t stored = std::min<std::uint64_t>(H5Dget_storage_size(dataset), file.bytes.size());
  const std::uint64_t limit = checked_mul(stored, max_expansion).value_or(UINT64_MAX);
  hsize_t sizes[H5S_MAX_RANK] = {};
  const int rank = H5Pget_chunk(properties, H5S_MAX_RANK, sizes);
  std::optional<std::uint64_t> chunk = size_of(dtype);
  for (int i = 0; i < rank && chunk; ++i) chunk = checked_mul(*chunk, sizes[i]);
  if (rank < 0 || !chunk || *chunk > std::max<std::uint64_t>(limit, 1U << 20U)) {
    throw malformed("a dataset whose chunks are larger than what is stored can give", file.where(path));
  }
  if (size > limit) {
    throw malformed(fmt::format("a dataset of {} bytes, of which only {} are stored", size, stored),
                    file.where(path));
  }
}

// Where the elements lie, checked against the file.
Bytes contiguous_bytes(const OpenFile& file, hid_t dataset, const std::string& path, std::uint64_t size) {
  const haddr_t offset = H5Dget_offset(dataset);
  if (size == 0) return {};
  if (offset == HADDR_UNDEF) throw malformed("a dataset without elements", file.where(path));
  if (offset > file.bytes.size() || size > file.bytes.size() - offset) {
    Where where = file.where(path);
    where.offset = offset;
    throw malformed(fmt::format("a dataset of {} bytes leaves the file of {}", size, file.bytes.size()),
                    where);
  }
  return file.bytes.subspan(offset, size);
}

StoredType stored_type(const OpenFile& file, hid_t dataset, const std::string& path,
                       const std::string& opaque_name) {
  const Handle type(H5Dget_type(dataset), H5Tclose);
  if (!type.ok()) throw file.damaged("the dataset's type", path);
  const auto stored = dtype_of(type.id(), opaque_name);
  H5Eclear2(H5E_DEFAULT);
  if (!stored) throw unsupported("a dataset of an element type that is not a tensor's", file.where(path));
  return *stored;
}

}  // namespace

LazyTensor open_tensor(const std::shared_ptr<const OpenFile>& file, hid_t dataset, const std::string& path,
                       const std::string& opaque_name) {
  const StoredType stored = stored_type(*file, dataset, path, opaque_name);
  const Shape shape = shape_of(*file, dataset, path);
  std::uint64_t size = 0;
  try {
    size = byte_count(shape, stored.dtype);
  } catch (Error& error) {
    throw error.at(file->where(path));
  }
  const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  if (!properties.ok()) throw file->damaged("the dataset's layout", path);
  if (H5Pget_external_count(properties.id()) != 0) {
    throw unsupported("a dataset whose elements are in another file", file->where(path));
  }
  const H5D_layout_t layout = H5Pget_layout(properties.id());
  if (layout == H5D_CONTIGUOUS) {
    const Bytes bytes = contiguous_bytes(*file, dataset, path, size);
    if (stored.as_in_memory) return view_tensor(stored.dtype, shape, bytes, file->file);
  } else if (layout == H5D_CHUNKED) {
    check_filters(*file, properties.id(), path);
    check_chunks(*file, dataset, properties.id(), path, stored.dtype, size);
  } else if (layout != H5D_COMPACT) {
    throw unsupported("a virtual dataset", file->where(path));
  } else if (size > file->bytes.size()) {
    throw malformed("a compact dataset larger than its file", file->where(path));
  }
  H5O_info_t info;
  if (H5Oget_info2(dataset, &info, H5O_INFO_BASIC) < 0) throw file->damaged("the dataset", path);
  return {stored.dtype, shape, std::make_shared<DatasetSource>(file, info.addr, path, stored.dtype), {}};
}

}  // namespace tieout::hdf5
