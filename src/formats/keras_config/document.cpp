#include "formats/keras_config/document.h"

namespace tieout::keras {

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_member(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

int keras_major(const Json& document) {
  const std::string version = text_member(document, "keras_version");
  return version.starts_with("1.") ? 1 : version.starts_with("2.") ? 2 : 3;
}

}  // namespace tieout::keras
