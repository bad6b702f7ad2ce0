// A PyTorch state_dict in several .safetensors or .bin files, as Hugging Face's libraries save it
// (https://huggingface.co/docs/huggingface_hub/package_reference/serialization).
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "containers/json/json_text.h"
#include "formats/folder.h"
#include "formats/format.h"
#include "formats/safetensors/module_order.h"
#include "formats/safetensors/writer.h"
#include "formats/shard_index.h"
#include "formats/torch_groups.h"
#include "formats/torch_pt/writer.h"
#include "formats/torch_source/torch_source.h"
#include "model/architecture_json.h"

namespace tieout::formats {

namespace {

constexpr std::string_view index_suffix = ".index.json";
constexpr const char* architecture_key =
    "tieout";  // in the index's metadata, beside the libraries' own entries

bool recognises_file(const MappedFile& file) {
  return is_shard_index(file, ".safetensors") || is_shard_index(file, ".bin");
}

// The order of the tensors is as trustworthy as inside the shards, which `model` is told.
std::vector<NamedTensor> read_shard(const ShardIndex& index, const std::string& name,
                                    const ReadOptions& options, FrameworkModel& model) {
  const FileRef shard = index.open(name, options.elsewhere);
  const Format& format = format_of_content(*shard);
  if (format.name != "safetensors" && format.name != "torch_pt") {
    throw malformed("a shard must be a .safetensors or .bin file; it is: " + format.title,
                    {.file = shard->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}});
  }
  FrameworkModel part = format.read(shard, options);
  if (part.order == TensorOrder::by_name) model.order = TensorOrder::by_name;
  for (const Finding& finding : part.findings) {
    if (finding.severity != Severity::forbids) continue;
    throw unsupported(finding.message,
                      {.file = shard->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      finding.way_out);
  }
  // Shards are filled in the model's order; inside one, safetensors sorts by name.
  return tieout::safetensors::in_module_order(part.tensors);
}

FrameworkModel read_file(const FileRef& file, const ReadOptions& options) {
  const ShardIndex index = read_shard_index(file);
  FrameworkModel model;
  model.framework = Framework::torch;
  model.format = "torch_shards";
  model.file = file->path();
  std::map<std::string, std::string> seen;  // tensor -> shard
  for (const std::string& name : index.names()) {
    for (NamedTensor& named : read_shard(index, name, options, model)) {
      const auto [other, is_new] = seen.emplace(named.name, name);
      if (!is_new) {
        throw malformed("the tensor " + named.name + " is in two shards, " + other->second + " and " + name,
                        index.where({}));
      }
      model.tensors.push_back(std::move(named));
    }
  }
  for (const auto& [tensor, shards] : index.shards) {
    const auto found = seen.find(tensor);
    if (shards.size() == 1 && found != seen.end() && found->second == shards[0]) continue;
    throw malformed("the tensor " + tensor + " is not in the shard that the index names",
                    index.where(tensor));
  }
  add_aliases(index.metadata, model);
  model.nodes = group_tensors(model.tensors);
  if (const auto architecture = index.metadata.find(architecture_key); architecture != index.metadata.end()) {
    const Where where = index.where("metadata.tieout");
    try {
      architecture_from_json(parse_json(architecture->second, where), model);
    } catch (Error& error) {
      throw error.at(where);
    }
  }
  return model;
}

// "dir/model.safetensors.index.json" in its parts.
struct ShardNames {
  std::string stem;    // "dir/model"
  std::string suffix;  // ".safetensors"

  explicit ShardNames(const std::string& path) {
    const std::string shard = path.substr(0, path.size() - index_suffix.size());
    const std::size_t dot = shard.rfind('.');
    stem = shard.substr(0, dot);
    suffix = shard.substr(dot);
  }
  [[nodiscard]] std::string path(std::size_t number, std::size_t count) const {
    return fmt::format("{}-{:05}-of-{:05}{}", stem, number, count, suffix);
  }
  [[nodiscard]] bool pickled() const { return suffix.size() == std::string_view(".bin").size(); }
};

// Tensors of one storage stand together, so that one shard holds them, once; the sizes count them so.
std::vector<std::uint64_t> sizes_with_ties(std::vector<NamedTensor>& tensors) {
  std::map<std::string, std::size_t> first;
  std::vector<std::pair<std::size_t, NamedTensor>> keyed;
  for (NamedTensor& named : tensors) {
    const std::size_t place = named.tensor.storage.empty()
                                  ? keyed.size()
                                  : first.emplace(named.tensor.storage, keyed.size()).first->second;
    keyed.emplace_back(place, std::move(named));
  }
  std::ranges::stable_sort(keyed, {}, [](const auto& entry) { return entry.first; });
  std::vector<std::uint64_t> sizes;
  tensors.clear();
  for (auto& [place, named] : keyed) {
    const bool tied = !tensors.empty() && !named.tensor.storage.empty() &&
                      tensors.back().tensor.storage == named.tensor.storage;
    sizes.push_back(tied ? 0 : byte_count(named.tensor.shape, named.tensor.dtype));
    tensors.push_back(std::move(named));
  }
  return sizes;
}

void write_shard(const std::vector<NamedTensor>& tensors, bool pickled, OutputFile& out,
                 const PayloadOptions& options) {
  if (!pickled) {
    tieout::safetensors::write_tensors(tensors, {{"format", "pt"}}, out, options);
    return;
  }
  FrameworkModel part;
  part.tensors = tensors;
  torch_pt::write_archive(part, out, options);
}

Outputs write_file(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  const ShardNames names(path);
  std::vector<NamedTensor> tensors = tensors_to_write(model);
  Json metadata = Json::object();
  if (!names.pickled()) {
    for (const auto& [alias, stored] : take_aliases(tensors)) metadata[alias] = stored;
  }
  const std::vector<std::uint64_t> sizes = sizes_with_ties(tensors);
  metadata["total_size"] = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  if (model.has_architecture) metadata[architecture_key] = architecture_to_json(model).dump();

  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  std::map<std::string, std::string> weight_map;
  const auto files = spread(sizes, options.max_shard_size.value_or(usual_shard_size));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::vector<NamedTensor> part(tensors.begin() + static_cast<std::ptrdiff_t>(files[i].first),
                                        tensors.begin() + static_cast<std::ptrdiff_t>(files[i].second));
    const std::string shard = names.path(i + 1, files.size());
    outputs.push_back(std::make_unique<OutputFile>(shard, options.overwrite));
    write_shard(part, names.pickled(), *outputs.back(), options.payload);
    for (const NamedTensor& named : part) weight_map[named.name] = shard.substr(shard.rfind('/') + 1);
  }
  outputs.front()->write(Json{{"metadata", metadata}, {"weight_map", weight_map}}.dump(2) + "\n");
  if (wants_source(model))
    outputs.push_back(write_torch_source(model, names.stem + names.suffix, options.overwrite));
  return outputs;
}

}  // namespace

Format torch_shards() {
  return {.name = "torch_shards",
          .title = "PyTorch state_dict in several files (.safetensors.index.json, .bin.index.json)",
          .framework = Framework::torch,
          .suffixes = {".safetensors.index.json", ".bin.index.json"},
          .reads =
              "Hugging Face's index and its .safetensors or .bin files; second names of tied tensors from "
              "the index's metadata. A folder is read by the file that from_pretrained would take.",
          .writes = "NAME-00001-of-0000N and the index; tied tensors once; --max-shard-size.",
          .writes_architecture = true,
          .spreads = true,
          .recognises = recognises_file,
          .read = read_file,
          .write = write_file,
          // In the order in which transformers looks for them (modeling_utils.py: from_pretrained), those of
          // one file too.
          .locate = first_in_folder({"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                     "pytorch_model.bin.index.json"})};
}

}  // namespace tieout::formats
