// Keras 3 weights in several .weights.h5 files, as save_weights(max_shard_size=...) writes them: the layout
// of formats/keras_config/vars_layout.h, whose groups are spread over the files.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "containers/hdf5/tree.h"
#include "containers/hdf5/writer.h"
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

FrameworkModel read_file(const FileRef& file, const ReadOptions& options) {
  const ShardIndex index = read_shard_index(file);
  FrameworkModel model;
  model.framework = Framework::keras;
  model.format = "keras_weights";  // the layout and its names are the same
  model.order = TensorOrder::within_class;
  model.file = file->path();
  hdf5::Group whole;
  for (const std::string& name : index.names()) {
    const FileRef shard = index.open(name, options.elsewhere);
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

// A variable and where it belongs: which shard it goes to is decided one by one, as Keras does.
struct Variable {
  const keras::VarsGroup* group;
  std::size_t index;
};

std::vector<Variable> variables_of(const std::vector<keras::VarsGroup>& groups) {
  std::vector<Variable> variables;
  for (const keras::VarsGroup& group : groups) {
    for (std::size_t i = 0; i < group.variables.size(); ++i) variables.push_back({&group, i});
  }
  return variables;
}

// The variables of one group that lie in this shard.
keras::VarsGroup part_of(std::span<const Variable> variables) {
  const keras::VarsGroup& whole = *variables.front().group;
  keras::VarsGroup part{whole.path, whole.name, {}};
  for (const Variable& variable : variables) part.variables.push_back(whole.variables[variable.index]);
  return part;
}

// Writes one shard and says in `weight_map` which groups it holds.
void write_shard(std::span<const Variable> variables, OutputFile& out, const PayloadOptions& options,
                 Json& weight_map) {
  hdf5::Writer writer(out.path());
  const std::string name = out.path().substr(out.path().rfind('/') + 1);
  while (!variables.empty()) {
    const keras::VarsGroup* group = variables.front().group;
    std::size_t count = 1;
    while (count < variables.size() && variables[count].group == group) ++count;
    keras::write_vars_group(part_of(variables.first(count)), writer);
    weight_map["/" + group->path].push_back(name);
    variables = variables.subspan(count);
  }
  write_whole(out, writer.finish(), options);
}

// "dir/m.weights.json" -> "dir/m_00002.weights.h5"
std::string shard_path(const std::string& index, std::size_t number) {
  constexpr std::string_view suffix = ".weights.json";
  return fmt::format("{}_{:05}.weights.h5", index.substr(0, index.size() - suffix.size()), number);
}

Outputs write_file(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  const std::vector<keras::VarsGroup> groups = keras::vars_groups(model);
  const std::vector<Variable> variables = variables_of(groups);
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  for (const Variable& variable : variables) {
    const LazyTensor& tensor = variable.group->variables[variable.index].second;
    sizes.push_back(byte_count(tensor.shape, tensor.dtype));
    total += sizes.back();
  }
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  Json weight_map = Json::object();
  for (const auto& [first, last] : spread(sizes, options.max_shard_size.value_or(usual_shard_size))) {
    outputs.push_back(std::make_unique<OutputFile>(shard_path(path, outputs.size() - 1), options.overwrite));
    write_shard(std::span(variables).subspan(first, last - first), *outputs.back(), options.payload,
                weight_map);
  }
  const Json index{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(weight_map)}};
  outputs.front()->write(index.dump(4));
  return outputs;
}

}  // namespace

Format keras_shards() {
  return {
      .name = "keras_shards",
      .title = "Keras 3 weights in several files (.weights.json)",
      .framework = Framework::keras,
      .suffixes = {".weights.json"},
      .reads =
          "The index and the .weights.h5 files beside it, as save_weights(max_shard_size=...) leaves them.",
      .writes = "NAME_00000.weights.h5 and further, and the index; --max-shard-size.",
      .writes_architecture = false,
      .spreads = true,
      .recognises = recognises_file,
      .read = read_file,
      .write = write_file};
}

}  // namespace tieout::formats
