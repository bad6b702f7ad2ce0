#include "containers/hdf5/writer.h"

#include <algorithm>
#include <cstring>

#include "containers/hdf5/datatype.h"

namespace tieout::hdf5 {

namespace {

// keras/src/legacy/saving/legacy_h5_format.py, HDF5_OBJECT_HEADER_LIMIT.
constexpr std::size_t header_limit = 64512;
// What a string of variable length takes in the attribute itself: length, heap address, index.
constexpr std::size_t variable_size = 16;

Handle variable_text(H5T_cset_t set) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), set);
  return type;
}

Handle simple_space(std::size_t count) {
  const hsize_t size = count;
  return {H5Screate_simple(1, &size, nullptr), H5Sclose};
}

}  // namespace

Writer::Writer(std::string name) : name_(std::move(name)), file_(recording_.create()) {
  check(file_.ok(), "lay out");
  with_parents_ = Handle(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  check(H5Pset_create_intermediate_group(with_parents_.id(), 1) >= 0, "lay out");
}

void Writer::check(bool ok, const std::string& what) {
  if (!ok) throw internal_error(name_ + ": cannot " + what + ": " + library_reason());
}

void Writer::group(const std::string& path) {
  if (path.empty() || groups_.contains(path)) return;
  const auto slash = path.rfind('/');
  if (slash != std::string::npos) group(path.substr(0, slash));
  const Handle made(H5Gcreate2(file_.id(), path.c_str(), with_parents_.id(), H5P_DEFAULT, H5P_DEFAULT),
                    H5Gclose);
  check(made.ok(), "write the group " + path);
  groups_.insert(path);
}

void Writer::dataset(const std::string& path, const LazyTensor& tensor) {
  const auto slash = path.rfind('/');
  if (slash != std::string::npos) group(path.substr(0, slash));
  const std::vector<hsize_t> sizes(tensor.shape.begin(), tensor.shape.end());
  const Handle space(sizes.empty() ? H5Screate(H5S_SCALAR)
                                   : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
                     H5Sclose);
  const Handle type = type_of(tensor.dtype);
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  // No time stamps, so that the same model gives the same bytes; no fill values, since all elements follow,
  // in a place that is known now.
  check(H5Pset_obj_track_times(properties.id(), false) >= 0 &&
            H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER) >= 0 &&
            H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY) >= 0,
        "write " + path);
  const Handle made(H5Dcreate2(file_.id(), path.c_str(), type.id(), space.id(), with_parents_.id(),
                               properties.id(), H5P_DEFAULT),
                    H5Dclose);
  check(made.ok(), "write the dataset " + path);
  if (is_opaque(tensor.dtype)) {
    const std::string name(to_string(tensor.dtype));
    text(path, "dtype", name);
  }
  if (element_count(tensor.shape) == 0) return;
  const haddr_t place = H5Dget_offset(made.id());
  check(place != HADDR_UNDEF, "find a place for the dataset " + path);
  tensors_.push_back({place, tensor});
}

void Writer::attribute(const std::string& path, const std::string& name, hid_t type, hid_t space,
                       const void* data) {
  const std::string object = path.empty() ? "/" : path;
  const Handle made(H5Acreate_by_name(file_.id(), object.c_str(), name.c_str(), type, space, H5P_DEFAULT,
                                      H5P_DEFAULT, H5P_DEFAULT),
                    H5Aclose);
  const bool ok = made.ok() && (data == nullptr || H5Awrite(made.id(), type, data) >= 0);
  check(ok, "write the attribute " + name + " of " + object);
}

void Writer::text(const std::string& path, const std::string& name, const std::string& value) {
  const Handle type = variable_text(H5T_CSET_UTF8);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const char* pointer = value.c_str();
  attribute(path, name, type.id(), space.id(), static_cast<const void*>(&pointer));
}

void Writer::texts(const std::string& path, const std::string& name, const std::vector<std::string>& values) {
  if (values.empty()) {  // what h5py makes of an empty list
    attribute(path, name, H5T_IEEE_F64LE, simple_space(0).id(), nullptr);
    return;
  }
  std::size_t longest = variable_size;
  for (const std::string& value : values) longest = std::max(longest, value.size());
  const std::size_t parts = (longest * values.size() + header_limit - 1) / header_limit;
  if (parts <= 1) {
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    attribute(path, name, variable_text(H5T_CSET_ASCII).id(), simple_space(values.size()).id(),
              static_cast<const void*>(pointers.data()));
    return;
  }
  const std::size_t each = header_limit / longest;
  if (each == 0)
    throw unsupported("a name of " + std::to_string(longest) + " bytes; HDF5 attributes hold 64512");
  int part = 0;
  for (std::size_t first = 0; first < values.size(); first += each, ++part) {
    fixed_texts(path, name + std::to_string(part), values.data() + first,
                std::min(each, values.size() - first));
  }
}

void Writer::fixed_texts(const std::string& path, const std::string& name, const std::string* first,
                         std::size_t count) {
  std::size_t longest = 1;
  for (std::size_t i = 0; i < count; ++i) longest = std::max(longest, first[i].size());
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), longest);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  std::vector<char> buffer(longest * count, '\0');
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(buffer.data() + i * longest, first[i].data(), first[i].size());
  }
  attribute(path, name, type.id(), simple_space(count).id(), buffer.data());
}

Payload Writer::finish() {
  check(H5Fclose(file_.release()) >= 0, "finish the layout");
  return recording_.payload(std::move(tensors_));
}

}  // namespace tieout::hdf5
