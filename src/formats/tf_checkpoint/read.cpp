#include "formats/tf_checkpoint/read.h"

#include <algorithm>
#include <set>
#include <utility>

#include "containers/tensor_bundle/bundle_reader.h"

namespace tieout::tf_checkpoint {

namespace {

constexpr const char* document_member = "object_graph";

Where where_in(const FileRef& index) {
  return {.file = index->path(), .entry = graph_key, .offset = {}, .tensor = {}, .layer = {}};
}

std::vector<NamedTensor> named_tensors(const tensor_bundle::BundleReader& bundle, const Where& where) {
  std::vector<NamedTensor> tensors;
  std::set<std::string> names;
  for (const NamedTensor& named : bundle.tensors()) {
    std::string name = name_of_key(named.name);
    if (!names.insert(name).second)
      throw unsupported(
          "two variables of the checkpoint are called " + name + ", one with a slash in its own name", where,
          "give the attribute another name and save the model again");
    tensors.push_back({std::move(name), named.tensor});
  }
  return tensors;
}

// Strings and variants: tables of words, states of data sets.
void note_others(const tensor_bundle::BundleReader& bundle, Findings& findings) {
  std::string names;
  for (const std::string& key : bundle.others()) {
    if (key != graph_key && !key.ends_with("/.ATTRIBUTES/OBJECT_CONFIG_JSON"))
      names += (names.empty() ? "" : ", ") + name_of_key(key);
  }
  if (names.empty()) return;
  findings.push_back(
      {.severity = Severity::warning,
       .layer = {},
       .message = "the checkpoint holds strings or other values that are no numbers, which are not "
                  "carried: " +
                  names,
       .way_out = "carry them by hand if the model needs them"});
}

// The graph from the object under `key` on.
ObjectGraph part_of(const ObjectGraph& graph, const std::string& key) {
  std::size_t at = 0;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    const std::string name = key.substr(begin, end - begin);
    const auto child = std::ranges::find(graph[at].children, name, &TrackedObject::Child::name);
    if (child == graph[at].children.end()) {
      std::string names;
      for (const auto& other : graph[at].children) names += (names.empty() ? "" : ", ") + other.name;
      throw usage_error("the checkpoint has no object " + key, "what stands there is: " + names);
    }
    at = child->object;
    begin = end + 1;
  }
  ObjectGraph part = graph;
  part[0] = {{{at, key}}, std::nullopt};
  return part;
}

// Layers whose variables the file does not hold are none: a graph lists what the objects had, not all of
// which was saved.
void drop_missing(std::vector<FoundLayer>& layers, const std::vector<NamedTensor>& tensors) {
  std::set<std::string> names;
  for (const NamedTensor& named : tensors) names.insert(named.name);
  for (FoundLayer& layer : layers) {
    std::erase_if(layer.node.parameters,
                  [&](const NodeParameter& parameter) { return !names.contains(parameter.tensor); });
  }
  std::erase_if(layers, [](const FoundLayer& layer) { return layer.node.parameters.empty(); });
}

// Keras 3 does not track layers in lists, so that a compiled model's optimizer may be all that has them.
void note_unreached(const ObjectGraph& graph, const std::vector<FoundLayer>& layers, Findings& findings) {
  std::set<std::string> owned;
  for (const FoundLayer& layer : layers) {
    for (const NodeParameter& parameter : layer.node.parameters) owned.insert(parameter.tensor);
  }
  std::string names;
  for (const TrackedObject& object : graph) {
    if (!object.variable || object.variable->key.find("/_trainable_variables/") == std::string::npos)
      continue;
    if (!owned.contains(name_of_key(object.variable->key)))
      names += (names.empty() ? "" : ", ") + object.variable->full_name;
  }
  if (names.empty()) return;
  findings.push_back(
      {.severity = Severity::warning,
       .layer = {},
       .message = "no layer of the checkpoint holds these variables, only its optimizer does: " + names,
       .way_out = "save the model with model.save(\"m.keras\")"});
}

}  // namespace

Checkpoint read_checkpoint(const FileRef& index, const std::string& path, const ReadOptions& options) {
  const tensor_bundle::BundleReader bundle(index, path, options.elsewhere);
  Checkpoint checkpoint;
  checkpoint.tensors = named_tensors(bundle, where_in(index));
  note_others(bundle, checkpoint.findings);
  const auto stored = bundle.strings(graph_key);
  if (!stored) {
    for (FrameworkNode& node : layers_by_name(checkpoint.tensors))
      checkpoint.layers.push_back({std::move(node), {}});
    return checkpoint;
  }
  if (stored->size() != 1) throw malformed("the object graph is not one string", where_in(index));
  const std::string_view proto = stored->front();
  const ObjectGraph graph = read_object_graph(proto, where_in(index));
  checkpoint.layers = find_layers(options.key.empty() ? graph : part_of(graph, options.key), where_in(index));
  drop_missing(checkpoint.layers, checkpoint.tensors);
  note_unreached(graph, checkpoint.layers, checkpoint.findings);
  checkpoint.document[document_member] = Json::binary({proto.begin(), proto.end()});
  return checkpoint;
}

FrameworkModel model_of(Checkpoint& checkpoint, const std::string& format, const std::string& file) {
  FrameworkModel model;
  model.framework = Framework::keras;
  model.format = format;
  model.file = file;
  model.order = checkpoint.document.is_null() ? TensorOrder::by_name : TensorOrder::as_defined;
  model.tensors = std::move(checkpoint.tensors);
  model.findings = std::move(checkpoint.findings);
  model.document = std::move(checkpoint.document);
  return model;
}

std::optional<ObjectGraph> graph_of(const FrameworkModel& model) {
  if (!model.document.is_object() || !model.document.contains(document_member)) return std::nullopt;
  const auto& bytes = model.document.at(document_member).get_binary();
  return read_object_graph({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                           {.file = model.file, .entry = graph_key, .offset = {}, .tensor = {}, .layer = {}});
}

}  // namespace tieout::tf_checkpoint
