#include "formats/tf_checkpoint/object_graph.h"

#include <algorithm>
#include <span>

#include "containers/protobuf/message_reader.h"
#include "containers/protobuf/message_writer.h"
#include "containers/utf8.h"

namespace tieout::tf_checkpoint {

namespace {

using protobuf::Field;
using protobuf::MessageReader;
using protobuf::MessageWriter;

constexpr std::string_view value_attribute = "VARIABLE_VALUE";
constexpr std::string_view value_suffix = "/.ATTRIBUTES/VARIABLE_VALUE";

TrackedObject::Child read_child(MessageReader reader) {
  TrackedObject::Child child;
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) child.object = field.varint();
    if (field.number == 2) child.name = field.text();
  }
  return child;
}

// Nothing for other attributes than a variable's value: tables, configurations.
std::optional<TrackedVariable> read_variable(MessageReader reader) {
  TrackedVariable variable;
  std::string_view name;
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) name = field.text();
    if (field.number == 2) variable.full_name = field.text();
    if (field.number == 3) variable.key = field.text();
  }
  return name == value_attribute ? std::optional(variable) : std::nullopt;
}

TrackedObject read_object(MessageReader reader) {
  TrackedObject object;
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) object.children.push_back(read_child(field.message()));
    if (field.number != 2) continue;
    if (auto variable = read_variable(field.message())) object.variable = std::move(variable);
  }
  return object;
}

}  // namespace

bool TrackedObject::has_child(std::string_view name) const {
  return std::ranges::find(children, name, &Child::name) != children.end();
}

ObjectGraph read_object_graph(std::string_view proto, const Where& where) {
  ObjectGraph graph;
  MessageReader reader(std::as_bytes(std::span(proto)), where);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) graph.push_back(read_object(field.message()));
  }
  if (graph.empty()) throw malformed("the object graph has no objects", where);
  for (const TrackedObject& object : graph) {
    const auto& variable = object.variable;
    if (variable && !(is_utf8(variable->full_name) && is_utf8(variable->key)))
      throw malformed("a variable's name in the object graph is no text", where);
    for (const TrackedObject::Child& child : object.children) {
      if (!is_utf8(child.name)) throw malformed("a name in the object graph is no text", where);
      if (child.object >= graph.size())
        throw malformed("the object graph names an object that there is not, as '" + child.name + "'", where);
    }
  }
  return graph;
}

std::string to_proto(const ObjectGraph& graph) {
  MessageWriter all;
  for (const TrackedObject& object : graph) {
    MessageWriter node;
    for (const TrackedObject::Child& child : object.children) {
      MessageWriter reference;
      if (child.object != 0) reference.varint(1, child.object);
      reference.bytes(2, child.name);
      node.bytes(1, reference.text());
    }
    if (object.variable) {
      MessageWriter attribute;
      attribute.bytes(1, value_attribute);
      attribute.bytes(2, object.variable->full_name);
      attribute.bytes(3, object.variable->key);
      node.bytes(2, attribute.text());
    }
    all.bytes(1, node.text());
  }
  return all.text();
}

std::string name_of_key(const std::string& key) {
  if (!key.ends_with(value_suffix)) return key;
  std::string name;
  for (std::size_t i = 0; i + value_suffix.size() < key.size(); ++i) {
    const bool escape = key[i] == '.' && i + 1 < key.size();
    if (escape && key[i + 1] == 'S') name += '/';
    if (escape && key[i + 1] == '.') name += '.';
    if (escape && (key[i + 1] == 'S' || key[i + 1] == '.')) {
      ++i;
    } else {
      name += key[i];
    }
  }
  return name;
}

std::string key_of_path(const std::vector<std::string>& path) {
  std::string key;
  for (const std::string& name : path) {
    if (!key.empty()) key += '/';
    for (const char c : name) {
      if (c == '.') {
        key += "..";
      } else if (c == '/') {
        key += ".S";
      } else {
        key += c;
      }
    }
  }
  return key + std::string(value_suffix);
}

}  // namespace tieout::tf_checkpoint
