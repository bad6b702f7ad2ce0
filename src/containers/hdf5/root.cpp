#include "containers/hdf5/root.h"

#include "containers/hdf5/memory_driver.h"

namespace tieout::hdf5 {

namespace {

// Enough to know any layout by; a hostile file may have more.
constexpr std::size_t max_names = 100000;

herr_t add(const char* name, void* data) noexcept {
  try {
    auto& names = *static_cast<std::vector<std::string>*>(data);
    if (names.size() >= max_names) return 1;
    names.emplace_back(name);
    return 0;
  } catch (...) {
    return -1;
  }
}

herr_t add_attribute(hid_t, const char* name, const H5A_info_t*, void* data) noexcept {
  return add(name, data);
}

herr_t add_member(hid_t, const char* name, const H5L_info_t*, void* data) noexcept {
  return add(name, data);
}

}  // namespace

std::vector<std::string> root_names(Bytes bytes) {
  std::vector<std::string> names;
  const Handle file = open_memory(bytes);
  const Handle root(file.ok() ? H5Gopen2(file.id(), "/", H5P_DEFAULT) : H5I_INVALID_HID, H5Gclose);
  if (root.ok()) {
    hsize_t position = 0;
    H5Aiterate2(root.id(), H5_INDEX_NAME, H5_ITER_INC, &position, add_attribute, &names);
    position = 0;
    H5Literate(root.id(), H5_INDEX_NAME, H5_ITER_INC, &position, add_member, &names);
  }
  H5Eclear2(H5E_DEFAULT);
  return names;
}

}  // namespace tieout::hdf5
