#include "containers/hdf5/memory_driver.h"

#include <cstring>
#include <memory>
#include <new>

namespace tieout::hdf5 {

namespace {

// What travels in the file access property list.
struct Image {
  const std::byte* data;
  std::size_t size;
};

// libhdf5 casts between H5FD_t and this, so `base` comes first.
struct MemoryFile {
  H5FD_t base;
  Image image;
  haddr_t end_of_allocation;
};

MemoryFile* mine(H5FD_t* file) {
  return reinterpret_cast<MemoryFile*>(file);
}
const MemoryFile* mine(const H5FD_t* file) {
  return reinterpret_cast<const MemoryFile*>(file);
}

H5FD_t* open(const char*, unsigned flags, hid_t access, haddr_t) {
  const auto* image = static_cast<const Image*>(H5Pget_driver_info(access));
  if (image == nullptr || (flags & H5F_ACC_RDWR) != 0) return nullptr;
  auto* file = new (std::nothrow) MemoryFile{};
  if (file == nullptr) return nullptr;
  file->image = *image;
  return &file->base;
}

herr_t close(H5FD_t* file) {
  delete mine(file);
  return 0;
}

// Two opened images are never the same file, not even of the same bytes.
int compare(const H5FD_t* a, const H5FD_t* b) {
  return a < b ? -1 : static_cast<int>(a > b);
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  if (flags != nullptr) *flags = H5FD_FEAT_DATA_SIEVE;
  return 0;
}

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t) {
  return mine(file)->end_of_allocation;
}

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  mine(file)->end_of_allocation = address;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) {
  return mine(file)->image.size;
}

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, void* buffer) {
  const Image& image = mine(file)->image;
  if (address > image.size || size > image.size - address) return -1;
  std::memcpy(buffer, image.data + address, size);
  return 0;
}

herr_t write(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, std::size_t, const void*) {
  return -1;
}

hid_t driver() {
  static const hid_t id = [] {
    H5FD_class_t functions{};
    functions.name = "tieout_memory";
    functions.maxaddr = static_cast<haddr_t>(-1) / 2;
    functions.fc_degree = H5F_CLOSE_STRONG;
    functions.fapl_size = sizeof(Image);
    functions.open = open;
    functions.close = close;
    functions.cmp = compare;
    functions.query = query;
    functions.get_eoa = end_of_allocation;
    functions.set_eoa = set_end_of_allocation;
    functions.get_eof = end_of_file;
    functions.read = read;
    functions.write = write;
    return H5FDregister(&functions);
  }();
  return id;
}

}  // namespace

Handle open_memory(Bytes bytes) {
  prepare_library();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Image image{bytes.data(), bytes.size()};
  if (!access.ok() || H5Pset_driver(access.id(), driver(), &image) < 0) {
    throw internal_error("libhdf5 does not accept the memory driver: " + library_reason());
  }
  return {H5Fopen("memory", H5F_ACC_RDONLY, access.id()), H5Fclose};
}

}  // namespace tieout::hdf5
