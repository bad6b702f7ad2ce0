#include "model/architecture_json.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tieout/error.h"

namespace tieout {

namespace {

constexpr int version = 1;
// No layer has as many outputs; the number has no other bound, since the layers say how many there are.
constexpr std::int64_t most_outputs = 1 << 16;

Error wrong(const std::string& path, const std::string& message) {
  return malformed("tieout's architecture, " + path + ": " + message);
}

const Json& member(const Json& object, const char* key, const std::string& path) {
  if (!object.is_object()) throw wrong(path, "expected an object");
  const auto found = object.find(key);
  if (found == object.end()) throw wrong(path, "'" + std::string(key) + "' is missing");
  return *found;
}

const Json& array(const Json& object, const char* key, const std::string& path) {
  const Json& value = member(object, key, path);
  if (!value.is_array()) throw wrong(path, "'" + std::string(key) + "' is not an array");
  return value;
}

std::string text(const Json& object, const char* key, const std::string& path) {
  const Json& value = member(object, key, path);
  if (!value.is_string()) throw wrong(path, "'" + std::string(key) + "' is not a string");
  return value.get<std::string>();
}

std::string optional_text(const Json& object, const char* key, const std::string& path) {
  return object.contains(key) ? text(object, key, path) : std::string();
}

std::int64_t integer(const Json& value, std::int64_t low, std::int64_t high, const std::string& path) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  const std::int64_t number = fits ? value.get<std::int64_t>() : low;
  if (!fits || number < low || number > high) {
    throw wrong(path, "expected an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return number;
}

DType dtype_named(const std::string& name, const std::string& path) {
  if (const std::optional<DType> dtype = dtype_of_name(name)) return *dtype;
  throw wrong(path, "the element type '" + name + "' is unknown");
}

Json value_json(const ValueRef& value) {
  return Json::array({value.node, value.output});
}

// A value that exists before node number `before`.
ValueRef read_value(const Json& json, std::size_t before, std::size_t inputs, const std::string& path) {
  if (!json.is_array() || json.size() != 2) throw wrong(path, "expected [node, output]");
  ValueRef value;
  value.node =
      static_cast<int>(integer(json[0], ValueRef::model_input, static_cast<std::int64_t>(before) - 1, path));
  const bool is_input = value.node == ValueRef::model_input;
  const std::int64_t most = is_input ? static_cast<std::int64_t>(inputs) - 1 : most_outputs;
  value.output = static_cast<int>(integer(json[1], 0, most, path));
  return value;
}

Json node_json(const FrameworkNode& node) {
  Json json = {{"name", node.name}, {"class", node.class_name}};
  if (!node.module.empty()) json["module"] = node.module;
  json["settings"] = node.settings.is_null() ? Json::object() : node.settings;
  json["inputs"] = Json::array();
  for (const NodeInput& input : node.inputs) {
    Json entry = {{"value", value_json(input.value)}};
    if (!input.keyword.empty()) entry["keyword"] = input.keyword;
    json["inputs"].push_back(std::move(entry));
  }
  if (node.inputs_as_list) json["as_list"] = true;
  json["parameters"] = Json::array();
  for (const NodeParameter& parameter : node.parameters) {
    json["parameters"].push_back({{"name", parameter.name}, {"tensor", parameter.tensor}});
  }
  return json;
}

FrameworkNode read_node(const Json& json, std::size_t number, std::size_t model_inputs,
                        const std::set<std::string>& tensors) {
  const std::string path = "node " + std::to_string(number);
  FrameworkNode node;
  node.name = text(json, "name", path);
  node.class_name = text(json, "class", path);
  node.module = optional_text(json, "module", path);
  node.settings = member(json, "settings", path);
  if (!node.settings.is_object()) throw wrong(path, "'settings' is not an object");
  for (const Json& input : array(json, "inputs", path)) {
    node.inputs.push_back({.value = read_value(member(input, "value", path), number, model_inputs, path),
                           .keyword = optional_text(input, "keyword", path)});
  }
  if (json.contains("as_list")) {
    if (!json["as_list"].is_boolean()) throw wrong(path, "'as_list' is not a truth value");
    node.inputs_as_list = json["as_list"].get<bool>();
  }
  for (const Json& parameter : array(json, "parameters", path)) {
    NodeParameter& added = node.parameters.emplace_back();
    added.name = text(parameter, "name", path);
    added.tensor = text(parameter, "tensor", path);
    if (!tensors.contains(added.tensor)) throw wrong(path, "the file has no tensor '" + added.tensor + "'");
  }
  return node;
}

Json input_json(const ModelInput& input) {
  Json json = {{"name", input.name}};
  json["shape"] = nullptr;
  if (!input.shape.empty()) {
    json["shape"] = Json::array();
    for (const std::int64_t size : input.shape)
      json["shape"].push_back(size == unknown ? Json(nullptr) : Json(size));
  }
  json["dtype"] = to_string(input.dtype);
  if (!input.axes.empty()) json["axes"] = input.axes;
  return json;
}

// Names as patterns write them: a letter, then letters and digits; each once.
std::vector<std::string> read_axes(const Json& json, const std::string& path) {
  std::vector<std::string> axes;
  for (const Json& axis : array(json, "axes", path)) {
    const std::string name = axis.is_string() ? axis.get<std::string>() : "";
    const bool fits = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
                      std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0; });
    if (!fits || std::ranges::find(axes, name) != axes.end())
      throw wrong(path, "an axis has no name of its own");
    axes.push_back(name);
  }
  return axes;
}

ModelInput read_input(const Json& json, std::size_t number) {
  const std::string path = "input " + std::to_string(number);
  ModelInput input;
  input.name = text(json, "name", path);
  input.dtype = dtype_named(text(json, "dtype", path), path);
  if (json.contains("axes")) input.axes = read_axes(json, path);
  const Json& shape = member(json, "shape", path);
  if (shape.is_null()) return input;
  for (const Json& size : array(json, "shape", path)) {
    input.shape.push_back(size.is_null() ? unknown
                                         : integer(size, 0, std::numeric_limits<std::int64_t>::max(), path));
  }
  return input;
}

}  // namespace

Json architecture_to_json(const FrameworkModel& model) {
  Json json = {{"tieout", version}, {"name", model.name}};
  json["inputs"] = Json::array();
  for (const ModelInput& input : model.inputs) json["inputs"].push_back(input_json(input));
  json["nodes"] = Json::array();
  for (const FrameworkNode& node : model.nodes) json["nodes"].push_back(node_json(node));
  json["outputs"] = Json::array();
  for (const ValueRef& output : model.outputs) json["outputs"].push_back(value_json(output));
  return json;
}

void architecture_from_json(const Json& json, FrameworkModel& model) {
  const Json& found = member(json, "tieout", "the document");
  if (found != version) {
    throw unsupported("tieout's architecture has version " + found.dump() + "; this tieout reads version " +
                      std::to_string(version));
  }
  model.name = text(json, "name", "the document");
  model.inputs.clear();
  for (const Json& input : array(json, "inputs", "the document")) {
    model.inputs.push_back(read_input(input, model.inputs.size()));
  }
  std::set<std::string> tensors;
  for (const NamedTensor& tensor : model.tensors) tensors.insert(tensor.name);
  model.nodes.clear();
  for (const Json& node : array(json, "nodes", "the document")) {
    model.nodes.push_back(read_node(node, model.nodes.size(), model.inputs.size(), tensors));
  }
  model.outputs.clear();
  for (const Json& output : array(json, "outputs", "the document")) {
    model.outputs.push_back(read_value(output, model.nodes.size(), model.inputs.size(), "the outputs"));
  }
  model.has_architecture = true;
}

}  // namespace tieout
