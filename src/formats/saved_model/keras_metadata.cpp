#include "formats/saved_model/keras_metadata.h"

#include <string_view>

#include "containers/json/json_text.h"
#include "containers/protobuf/message_reader.h"
#include "containers/utf8.h"
#include "formats/keras_config/document.h"

namespace tieout::saved_model {

namespace {

using protobuf::Field;
using protobuf::MessageReader;

constexpr std::string_view model_path = "root";

struct Node {
  std::string_view path;
  std::string_view metadata;
};

Node read_node(MessageReader reader) {
  Node node;
  Field field;
  while (reader.next(field)) {
    if (field.number == 3) node.path = field.text();
    if (field.number == 5) node.metadata = field.text();
  }
  return node;
}

// NOLINTNEXTLINE(misc-no-recursion): parse_json bounds how deep values lie in each other.
void unwrap_tuples(Json& value) {
  const std::string class_name = keras::text_member(value, "class_name");
  if ((class_name == "__tuple__" || class_name == "TensorShape") && value.contains("items")) {
    Json items = std::move(value["items"]);
    value = std::move(items);
  }
  if (!value.is_structured()) return;
  for (Json& part : value) unwrap_tuples(part);
}

}  // namespace

KerasMetadata read_keras_metadata(const MappedFile& file) {
  const Where where{.file = file.path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}};
  KerasMetadata read;
  MessageReader reader(file.bytes(), where);
  Field field;
  while (reader.next(field)) {
    if (field.number != 1) continue;
    const Node node = read_node(field.message());
    if (!is_utf8(node.path)) throw malformed("a path in the metadata of Keras is no text", where);
    Where here = where;
    here.entry = node.path;
    Json metadata = parse_json(node.metadata, here);
    read.names.emplace(node.path, keras::text_member(metadata, "name"));
    if (node.path != model_path) continue;
    if (!metadata.is_object() || !metadata.contains("class_name") || !metadata.contains("config"))
      throw malformed("the model's metadata has no class_name or no config", here);
    read.model =
        Json{{"class_name", std::move(metadata["class_name"])}, {"config", std::move(metadata["config"])}};
    unwrap_tuples(read.model);
  }
  if (read.model.is_null()) throw malformed("the metadata of Keras does not hold the model", where);
  return read;
}

}  // namespace tieout::saved_model
