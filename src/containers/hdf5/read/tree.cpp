#include "containers/hdf5/tree.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "containers/hdf5/read/attributes.h"
#include "containers/hdf5/read/dataset.h"
#include "containers/hdf5/read/links.h"

namespace tieout::hdf5 {

namespace {

constexpr int max_depth = 64;
constexpr std::size_t max_objects = 1'000'000;

std::optional<std::uint64_t> as_number(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// Members "0", "1", ... by number, then all others in the order in which they were made.
template <typename Object>
void sort_by_making(std::vector<std::pair<std::uint64_t, Object>>& made, std::vector<Object>& sorted) {
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
  TreeReader(const FileRef& file, Bytes bytes, const Where& where)
      : file_(file), image_(bytes, where), types_(image_), attributes_(image_, types_) {}

  Group read() {
    check_extension();
    Group root;
    const std::uint64_t address = image_.superblock().root;
    const ObjectHeader header = read_object_header(image_, address, {});
    if (!is_group(header)) throw malformed("the root is no group", image_.where({}, address));
    groups_seen_.insert(address);
    read_group(header, root, 0);
    return root;
  }

 private:
  // What more a superblock may say about the file: two things that this reader must know.
  void check_extension() {
    if (image_.superblock().extension == no_address) return;
    const ObjectHeader more = read_object_header(image_, image_.superblock().extension, {});
    const char* what = nullptr;
    if (more.find(MessageKind::driver_information) != nullptr)
      what = "an HDF5 file whose contents are spread over several files";
    if (more.find(MessageKind::cache_image) != nullptr)
      what = "an HDF5 file with an image of the metadata cache";
    if (what != nullptr) throw unsupported(what, image_.where({}, more.address), copy_objects);
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by max_depth.
  void read_group(const ObjectHeader& header, Group& group, int depth) {
    if (depth > max_depth) {
      throw malformed(fmt::format("groups nested deeper than {}", max_depth),
                      image_.where(group.path, header.address));
    }
    group.attributes = attributes_.read(header, group.path);
    std::vector<std::pair<std::uint64_t, Group>> groups;
    std::vector<std::pair<std::uint64_t, Dataset>> datasets;
    for (const Link& link : links_of(header, group.path)) {
      const std::string path = group.path.empty() ? link.name : group.path + "/" + link.name;
      check_hard(link, path);
      if (const auto known = datasets_.find(link.address); known != datasets_.end()) {
        image_.announce(known->second.announced, path);
        datasets.emplace_back(link.address, Dataset{link.name, known->second.tensor});
        continue;
      }
      if (groups_seen_.contains(link.address))
        throw malformed("a group that is reached by two ways", image_.where(path, link.address));
      const ObjectHeader object = read_object_header(image_, link.address, path);
      if (is_group(object)) {
        groups_seen_.insert(link.address);
        auto& made = groups.emplace_back(link.address, Group{link.name, path, {}, {}, {}});
        read_group(object, made.second, depth + 1);
      } else if (is_dataset(image_, object, path)) {
        const std::uint64_t before = image_.announced();
        const LazyTensor tensor = read_dataset(object, path);
        datasets_.emplace(link.address, Known{tensor, image_.announced() - before});
        datasets.emplace_back(link.address, Dataset{link.name, tensor});
      }
      // Named types hold nothing of a model.
    }
    sort_by_making(groups, group.groups);
    sort_by_making(datasets, group.datasets);
  }

  std::vector<Link> links_of(const ObjectHeader& group, const std::string& path) {
    std::vector<Link> links = read_links(image_, group, path);
    objects_ += links.size();
    if (objects_ > max_objects) {
      throw malformed(fmt::format("more than {} objects", max_objects), image_.where(path, group.address));
    }
    return links;
  }

  void check_hard(const Link& link, const std::string& path) const {
    if (link.kind == LinkKind::hard) return;
    throw unsupported(link.kind == LinkKind::soft ? "a soft link" : "a link to another file",
                      image_.where(path), "Keras refuses such files too");
  }

  LazyTensor read_dataset(const ObjectHeader& object, const std::string& path) {
    std::string opaque_name;
    for (const Attribute& attribute : attributes_.read(object, path)) {
      if (attribute.name == "dtype" && attribute.texts.size() == 1) opaque_name = attribute.texts.front();
    }
    return open_dataset(image_, types_, file_, object, path, opaque_name);
  }

  // A dataset that has been met, which may have more names. Each is paid for, since each may be read.
  struct Known {
    LazyTensor tensor;
    std::uint64_t announced;  // bytes
  };

  const FileRef& file_;
  Image image_;
  ElementTypes types_;
  AttributeReader attributes_;
  std::set<std::uint64_t> groups_seen_;      // by the addresses of their headers
  std::map<std::uint64_t, Known> datasets_;  // likewise
  std::size_t objects_ = 0;
};

}  // namespace

Group read_tree(const FileRef& file, Bytes bytes, const std::string& entry) {
  const Where where{.file = file->path(), .entry = entry, .offset = {}, .tensor = {}, .layer = {}};
  return TreeReader(file, bytes, where).read();
}

}  // namespace tieout::hdf5
