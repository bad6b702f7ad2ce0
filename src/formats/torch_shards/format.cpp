// A PyTorch state_dict in several .safetensors or .bin files, as Hugging Face's libraries save it
// (https://huggingface.co/docs/huggingface_hub/package_reference/serialization).
#include "formats/format.h"
#include "formats/safetensors/module_order.h"
#include "formats/shard_index.h"
#include "formats/torch_groups.h"

namespace tieout::formats {

namespace {

bool recognises_file(const MappedFile& file) {
  return is_shard_index(file, ".safetensors") || is_shard_index(file, ".bin");
}

// Leaves the shard's format in `model`: the order and the names of the tensors are as trustworthy.
std::vector<NamedTensor> read_shard(const ShardIndex& index, const std::string& name, FrameworkModel& model) {
  const FileRef shard = index.open(name);
  const Format& format = format_of_content(*shard);
  if (format.name != "safetensors" && format.name != "torch_pt") {
    throw malformed("a shard must be a .safetensors or .bin file; it is: " + format.title,
                    {.file = shard->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}});
  }
  model.format = format.name;
  // Shards are filled in the model's order; inside one, safetensors sorts by name.
  return tieout::safetensors::in_module_order(format.read(shard).tensors);
}

FrameworkModel read_file(const FileRef& file) {
  const ShardIndex index = read_shard_index(file);
  FrameworkModel model;
  model.framework = Framework::torch;
  model.file = file->path();
  std::map<std::string, std::string> seen;  // tensor -> shard
  for (const std::string& name : index.names()) {
    for (NamedTensor& named : read_shard(index, name, model)) {
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
  model.nodes = group_tensors(model.tensors);
  return model;
}

}  // namespace

Format torch_shards() {
  return {.name = "torch_shards",
          .title = "PyTorch state_dict in several files (.safetensors.index.json, .bin.index.json)",
          .framework = Framework::torch,
          .suffixes = {".safetensors.index.json", ".bin.index.json"},
          .writes_architecture = false,
          .recognises = recognises_file,
          .read = read_file,
          .write = nullptr};
}

}  // namespace tieout::formats
