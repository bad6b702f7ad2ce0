// Keras 3 weights in several .weights.h5 files, as save_weights(max_shard_size=...) writes them: the layout
// of formats/keras_config/vars_layout.h, whose groups are spread over the files.
#include <algorithm>

#include "containers/hdf5/tree.h"
#include "formats/format.h"
#include "formats/keras_config/h5_kind.h"
#include "formats/keras_config/vars_layout.h"
#include "formats/shard_index.h"

namespace tieout::formats {

namespace {

bool recognises_file(const MappedFile& file) {
  return is_shard_index(file, ".weights.h5");
}

// Adds a shard's groups to those of the shards before it; a layer's variables can be in two.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the file's groups, which are bounded.
void merge(hdf5::Group& whole, const hdf5::Group& part, const Where& where) {
  for (const hdf5::Dataset& dataset : part.datasets) {
    if (whole.find_dataset(dataset.name) != nullptr)
      throw malformed("two shards hold the variable " + whole.path + "/" + dataset.name, where);
    whole.datasets.push_back(dataset);
  }
  for (const hdf5::Group& group : part.groups) {
    const auto there = std::ranges::find(whole.groups, group.name, &hdf5::Group::name);
    if (there == whole.groups.end()) {
      whole.groups.push_back(group);
    } else {
      merge(*there, group, where);
    }
  }
}

FrameworkModel read_file(const FileRef& file) {
  const ShardIndex index = read_shard_index(file);
  FrameworkModel model;
  model.framework = Framework::keras;
  model.format = "keras_weights";  // the layout and its names are the same
  model.file = file->path();
  hdf5::Group whole;
  for (const std::string& name : index.names()) {
    const FileRef shard = index.open(name);
    if (keras::kind_of_h5(*shard) != keras::H5Kind::layers_by_class) {
      throw malformed("a shard must be a .weights.h5 file of Keras 3",
                      {.file = shard->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}});
    }
    merge(whole, hdf5::read_tree(shard, shard->bytes(), {}), index.where({}));
  }
  for (const auto& [group, shards] : index.shards) {
    const std::size_t begin = std::min(group.find_first_not_of('/'), group.size());
    if (begin < group.size() && whole.find_group(std::string_view(group).substr(begin)) == nullptr)
      throw malformed("no shard holds the group " + group, index.where(group));
  }
  keras::read_tensors(whole, model);
  keras::nodes_from_groups(whole, model);
  return model;
}

}  // namespace

Format keras_shards() {
  return {.name = "keras_shards",
          .title = "Keras 3 weights in several files (.weights.json)",
          .framework = Framework::keras,
          .suffixes = {".weights.json"},
          .writes_architecture = false,
          .recognises = recognises_file,
          .read = read_file,
          .write = nullptr};
}

}  // namespace tieout::formats
