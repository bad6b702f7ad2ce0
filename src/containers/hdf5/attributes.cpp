#include "containers/hdf5/attributes.h"

#include <cstring>

#include <fmt/format.h>

#include "base/checked.h"

namespace tieout::hdf5 {

namespace {

// Keras splits its lists into attributes of 64 KiB; a hundred of them name 50,000 layers.
constexpr hsize_t max_attributes = 10000;

std::vector<std::string> fixed_texts(const OpenFile& file, hid_t attribute, hid_t type, std::size_t count,
                                     const std::string& path) {
  const std::size_t length = H5Tget_size(type);
  const auto size = checked_mul(length, count);
  if (!size || *size > file.bytes.size())
    throw malformed("an attribute larger than its file", file.where(path));
  std::vector<char> buffer(*size);
  const Handle memory(H5Tcopy(type), H5Tclose);
  if (!memory.ok() || H5Aread(attribute, memory.id(), buffer.data()) < 0)
    throw file.damaged("an attribute", path);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = buffer.data() + i * length;
    texts.emplace_back(text, strnlen(text, length));
  }
  return texts;
}

std::vector<std::string> variable_texts(const OpenFile& file, hid_t attribute, hid_t type, hid_t space,
                                        std::size_t count, const std::string& path) {
  if (count > file.bytes.size()) throw malformed("an attribute larger than its file", file.where(path));
  const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  if (H5Tset_size(memory.id(), H5T_VARIABLE) < 0 || H5Tset_cset(memory.id(), H5Tget_cset(type)) < 0) {
    throw file.damaged("an attribute", path);
  }
  std::vector<char*> pointers(count, nullptr);
  if (H5Aread(attribute, memory.id(), pointers.data()) < 0) throw file.damaged("an attribute", path);
  std::vector<std::string> texts;
  for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(memory.id(), space, H5P_DEFAULT, pointers.data());
  return texts;
}

// False when the attribute holds no text.
bool read_texts(const OpenFile& file, hid_t attribute, const std::string& path,
                std::vector<std::string>& texts) {
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  if (!type.ok() || !space.ok()) throw file.damaged("an attribute", path);
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  if (count < 0) throw file.damaged("an attribute", path);
  if (count == 0) return true;
  if (H5Tget_class(type.id()) != H5T_STRING) return false;
  const auto n = static_cast<std::size_t>(count);
  texts = H5Tis_variable_str(type.id()) > 0 ? variable_texts(file, attribute, type.id(), space.id(), n, path)
                                            : fixed_texts(file, attribute, type.id(), n, path);
  return true;
}

std::string name_of(const OpenFile& file, hid_t attribute, const std::string& path) {
  const ssize_t length = H5Aget_name(attribute, 0, nullptr);
  if (length < 0) throw file.damaged("an attribute's name", path);
  std::string name(static_cast<std::size_t>(length), '\0');
  if (H5Aget_name(attribute, name.size() + 1, name.data()) < 0)
    throw file.damaged("an attribute's name", path);
  return name;
}

}  // namespace

std::vector<Attribute> read_attributes(const OpenFile& file, hid_t object, const std::string& path) {
  H5O_info_t info;
  if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0) throw file.damaged("the attributes", path);
  if (info.num_attrs > max_attributes) {
    throw malformed(fmt::format("an object with {} attributes", info.num_attrs), file.where(path));
  }
  std::vector<Attribute> attributes;
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    const Handle attribute(
        H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!attribute.ok()) throw file.damaged("an attribute", path);
    Attribute read;
    if (!read_texts(file, attribute.id(), path, read.texts)) continue;
    read.name = name_of(file, attribute.id(), path);
    attributes.push_back(std::move(read));
  }
  return attributes;
}

}  // namespace tieout::hdf5
