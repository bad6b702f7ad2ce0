#include "formats/tf_checkpoint/write.h"

#include <set>
#include <span>
#include <utility>
#include <vector>

#include "containers/tensor_bundle/bundle_reader.h"
#include "containers/tensor_bundle/bundle_writer.h"
#include "formats/shard_index.h"
#include "formats/tf_checkpoint/keras_graph.h"
#include "formats/tf_checkpoint/read.h"

namespace tieout::tf_checkpoint {

namespace {

// "m.ckpt" and "m.ckpt.index" both name the checkpoint m.ckpt.
std::string index_path(const std::string& path) {
  return path.ends_with(tensor_bundle::index_suffix) ? path : path + std::string(tensor_bundle::index_suffix);
}

// The file's own keys and graph; variables that are left out (a template's optimizer) leave the graph too, so
// that nobody looks for them.
KerasGraph as_read(const FrameworkModel& model, ObjectGraph graph) {
  KerasGraph made;
  std::map<std::string, std::string> keys;  // of names
  for (const TrackedObject& object : graph) {
    if (object.variable) keys.emplace(name_of_key(object.variable->key), object.variable->key);
  }
  std::set<std::string> written;
  for (const NamedTensor& named : model.tensors) {
    const auto key = keys.find(named.name);
    made.tensors.push_back({key == keys.end() ? named.name : key->second, named.tensor});
    written.insert(made.tensors.back().name);
  }
  for (TrackedObject& object : graph) {
    if (object.variable && !written.contains(object.variable->key)) object.variable.reset();
  }
  made.graph = std::move(graph);
  return made;
}

// For each data file the first of the tensors and the one behind the last; one file where no size is asked
// for, as TensorFlow does.
std::vector<std::pair<std::size_t, std::size_t>> files_of(const std::vector<NamedTensor>& tensors,
                                                          const WriteOptions& options) {
  std::vector<std::uint64_t> sizes;
  for (const auto& [name, tensor] : tensors) sizes.push_back(byte_count(tensor.shape, tensor.dtype));
  if (!options.max_shard_size || sizes.empty()) return {{0, sizes.size()}};
  return spread(sizes, *options.max_shard_size);
}

}  // namespace

Outputs write(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  KerasGraph made;
  if (auto graph = graph_of(model)) {
    made = as_read(model, *std::move(graph));
  } else if (model.order == TensorOrder::by_name) {  // TensorFlow 1 looks for names
    made.tensors = model.tensors;
  } else {
    made = keras_graph(model);
  }
  std::map<std::string, std::string> texts;
  if (!made.graph.empty()) texts[graph_key] = to_proto(made.graph);
  const std::string index = index_path(path);
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(index, options.overwrite));
  const auto files = files_of(made.tensors, options);
  std::vector<tensor_bundle::Shard> shards;
  for (std::size_t i = 0; i < files.size(); ++i) {
    outputs.push_back(
        std::make_unique<OutputFile>(tensor_bundle::data_path(index, i, files.size()), options.overwrite));
    const auto [first, last] = files[i];
    shards.push_back({*outputs.back(), std::span(made.tensors).subspan(first, last - first)});
  }
  tensor_bundle::write_bundle(shards, texts, *outputs[0], options.payload);
  return outputs;
}

}  // namespace tieout::tf_checkpoint
