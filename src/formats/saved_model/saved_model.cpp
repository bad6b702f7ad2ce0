#include "formats/saved_model/saved_model.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "containers/protobuf/message_reader.h"
#include "formats/keras_config/architecture.h"
#include "formats/keras_config/document.h"
#include "formats/saved_model/keras_metadata.h"
#include "formats/tf_checkpoint/read.h"

namespace tieout::saved_model {

namespace {

using protobuf::Field;
using protobuf::MessageReader;
using tf_checkpoint::Checkpoint;
using tf_checkpoint::FoundLayer;

constexpr std::uint64_t known_schema = 1;
// Keras' metadata does not say which Keras 2 wrote it.
constexpr const char* keras_version = "2.x";

Where where_in(const std::string& file) {
  return {.file = file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}};
}

// Looks at what encloses the graphs, so that a file that was cut is not taken for a whole one.
void check(const MappedFile& file) {
  std::size_t graphs = 0;
  MessageReader reader(file.bytes(), where_in(file.path()));
  Field field;
  while (reader.next(field)) {
    if (field.number == 1 && field.varint() != known_schema) {
      throw unsupported("the SavedModel has the schema " + std::to_string(field.varint()),
                        where_in(file.path()), "save it with another version of TensorFlow");
    }
    if (field.number != 2) continue;
    ++graphs;
    MessageReader graph = field.message();
    Field part;
    while (graph.next(part)) {
    }
  }
  if (graphs == 0) throw malformed("the SavedModel holds no graph", where_in(file.path()));
}

// The name of a layer in the architecture, "model/layer", from those of the objects on its way. A model that
// a TimeDistributed wraps ("layer") is written out under the wrapper's name alone.
std::string name_of(const FoundLayer& layer, const KerasMetadata& metadata) {
  std::string path = "root";
  std::string name;
  for (const std::string& step : layer.path) {
    path += "." + step;
    const auto known = metadata.names.find(path);
    if (known == metadata.names.end() || step == "layer") continue;
    name += (name.empty() ? "" : "/") + known->second;
  }
  return name;
}

std::set<std::string> layer_names(const Json& model) {
  std::set<std::string> names;
  const Json* layers = keras::member(model.at("config"), "layers");
  if (layers == nullptr || !layers->is_array()) return names;
  for (const Json& layer : *layers) {
    const Json* config = keras::member(layer, "config");
    if (config != nullptr) names.insert(keras::text_member(*config, "name"));
  }
  return names;
}

// False when Keras' metadata holds no architecture (subclassed models).
bool add_architecture(const MappedFile& file, const std::vector<FoundLayer>& layers, FrameworkModel& model) {
  const KerasMetadata metadata = read_keras_metadata(file);
  Where where = where_in(file.path());
  if (!keras::read_architecture(metadata.model, layer_names(metadata.model), model, where).known)
    return false;
  model.document["config"] = metadata.model;
  model.document["keras_version"] = keras_version;
  std::map<std::string, const FoundLayer*> by_name;
  for (const FoundLayer& layer : layers) by_name.emplace(name_of(layer, metadata), &layer);
  std::set<std::string> taken;
  for (FrameworkNode& node : model.nodes) {
    const auto found = by_name.find(node.name);
    if (found == by_name.end()) continue;
    node.parameters = found->second->node.parameters;
    taken.insert(node.name);
  }
  for (const auto& [name, layer] : by_name) {
    where.layer = name;
    if (!taken.contains(name))
      throw malformed("the model's architecture has no layer for these variables", where);
  }
  return true;
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

}  // namespace

bool recognises(const MappedFile& file) {
  static constexpr std::array begin{std::byte{0x08}, std::byte{known_schema}, std::byte{0x12}};
  return file.bytes().size() >= begin.size() && std::ranges::equal(file.bytes().first(begin.size()), begin);
}

FrameworkModel read(const FileRef& file, const ReadOptions& options) {
  check(*file);
  const std::string folder = file->path().substr(0, file->path().rfind('/') + 1);
  const std::string index = folder + "variables/variables.index";
  if (!is_file(index)) {
    throw unsupported("the SavedModel has no variables", where_in(file->path()),
                      "its weights may be constants of its graph: save the Keras model itself");
  }
  Checkpoint checkpoint =
      tf_checkpoint::read_checkpoint(std::make_shared<const MappedFile>(index), index, options);
  FrameworkModel model = tf_checkpoint::model_of(checkpoint, "saved_model", file->path());
  const std::string metadata = folder + "keras_metadata.pb";
  if (is_file(metadata) && add_architecture(MappedFile(metadata), checkpoint.layers, model)) return model;
  for (FoundLayer& layer : checkpoint.layers) model.nodes.push_back(std::move(layer.node));
  return model;
}

}  // namespace tieout::saved_model
