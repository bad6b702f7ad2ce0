#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "containers/hdf5/attributes.h"
#include "containers/hdf5/memory_driver.h"
#include "containers/hdf5/open_file.h"
#include "containers/hdf5/superblock.h"
#include "containers/hdf5/tree.h"
#include "containers/hdf5/trial.h"

namespace tieout::hdf5 {

namespace {

constexpr int max_depth = 64;
constexpr std::size_t max_objects = 1'000'000;

struct Link {
  std::string name;
  H5L_type_t type;
};

// Exceptions must not pass through libhdf5; a negative answer ends the walk.
herr_t add_link(hid_t, const char* name, const H5L_info_t* info, void* data) noexcept {
  try {
    auto& links = *static_cast<std::vector<Link>*>(data);
    if (links.size() >= max_objects) return -1;
    links.push_back({name, info->type});
    return 0;
  } catch (...) {
    return -1;
  }
}

std::optional<std::uint64_t> as_number(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// Members "0", "1", ... by number, then all others in the order in which they were made.
template <typename Object>
void sort_by_making(std::vector<std::pair<haddr_t, Object>>& made, std::vector<Object>& sorted) {
  std::ranges::stable_sort(made, [](const auto& a, const auto& b) {
    const auto x = as_number(a.second.name);
    const auto y = as_number(b.second.name);
    if (x && y) return *x < *y;
    if (x || y) return x.has_value();
    return a.first < b.first;
  });
  for (auto& [address, object] : made) sorted.push_back(std::move(object));
}

class TreeReader {
 public:
  explicit TreeReader(std::shared_ptr<const OpenFile> file) : file_(std::move(file)) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by max_depth.
  void read_group(hid_t id, Group& group, int depth) {
    if (depth > max_depth) {
      throw malformed(fmt::format("groups nested deeper than {}", max_depth), file_->where(group.path));
    }
    group.attributes = read_attributes(*file_, id, group.path);
    std::vector<std::pair<haddr_t, Group>> groups;
    std::vector<std::pair<haddr_t, Dataset>> datasets;
    for (const Link& link : links_of(id, group.path)) {
      const std::string path = group.path.empty() ? link.name : group.path + "/" + link.name;
      const Handle object = open(id, link, path);
      H5O_info_t info;
      if (H5Oget_info2(object.id(), &info, H5O_INFO_BASIC) < 0) throw file_->damaged("an object", path);
      if (info.type == H5O_TYPE_GROUP) {
        if (!groups_seen_.insert(info.addr).second) {
          throw malformed("a group that is reached by two ways", file_->where(path));
        }
        auto& made = groups.emplace_back(info.addr, Group{link.name, path, {}, {}, {}});
        read_group(object.id(), made.second, depth + 1);
      } else if (info.type == H5O_TYPE_DATASET) {
        datasets.emplace_back(info.addr, Dataset{link.name, read_dataset(object.id(), path)});
      }
      // Named types hold nothing of a model.
    }
    sort_by_making(groups, group.groups);
    sort_by_making(datasets, group.datasets);
  }

 private:
  std::vector<Link> links_of(hid_t group, const std::string& path) {
    std::vector<Link> links;
    hsize_t position = 0;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &position, add_link, &links) < 0) {
      throw file_->damaged("the members of the group", path);
    }
    objects_ += links.size();
    if (objects_ > max_objects) {
      throw malformed(fmt::format("more than {} objects", max_objects), file_->where(path));
    }
    return links;
  }

  Handle open(hid_t group, const Link& link, const std::string& path) {
    if (link.type != H5L_TYPE_HARD) {
      throw unsupported(link.type == H5L_TYPE_SOFT ? "a soft link" : "a link to another file",
                        file_->where(path), "Keras refuses such files too");
    }
    Handle object(H5Oopen(group, link.name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.ok()) throw file_->damaged("an object", path);
    return object;
  }

  LazyTensor read_dataset(hid_t id, const std::string& path) {
    std::string opaque_name;
    for (const Attribute& attribute : read_attributes(*file_, id, path)) {
      if (attribute.name == "dtype" && attribute.texts.size() == 1) opaque_name = attribute.texts.front();
    }
    return open_tensor(file_, id, path, opaque_name);
  }

  std::shared_ptr<const OpenFile> file_;
  std::set<haddr_t> groups_seen_;
  std::size_t objects_ = 0;
};

}  // namespace

Where OpenFile::where(const std::string& path) const {
  return {
      .file = file->path(), .entry = entry.empty() ? path : entry, .offset = {}, .tensor = {}, .layer = {}};
}

Error OpenFile::damaged(const std::string& what, const std::string& path) const {
  const std::string name = path.empty() ? "the root group" : path;
  return malformed(fmt::format("cannot read {} of {}: {}", what, name, library_reason()), where(path));
}

namespace {

Group read_here(const FileRef& file, Bytes bytes, const std::string& entry) {
  auto opened = std::make_shared<OpenFile>(OpenFile{file, bytes, entry, {}});
  check_superblock(bytes, opened->where({}));
  opened->handle = open_memory(bytes);
  if (!opened->handle.ok()) throw opened->damaged("the superblock", {});
  const Handle root(H5Gopen2(opened->handle.id(), "/", H5P_DEFAULT), H5Gclose);
  if (!root.ok()) throw opened->damaged("the members", {});
  Group tree;
  TreeReader(opened).read_group(root.id(), tree, 0);
  return tree;
}

}  // namespace

Group read_tree(const FileRef& file, Bytes bytes, const std::string& entry) {
  const Where where{.file = file->path(), .entry = entry, .offset = {}, .tensor = {}, .layer = {}};
  check_superblock(bytes, where);
  survive([&] { read_here(file, bytes, entry); }, where);
  return read_here(file, bytes, entry);
}

}  // namespace tieout::hdf5
