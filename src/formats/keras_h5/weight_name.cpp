#include "formats/keras_h5/weight_name.h"

namespace tieout::keras {

namespace {

// TensorFlow numbers scopes that it meets again: the layer conv1 may have its weights in conv1_3.
bool is_scope_of(std::string_view scope, std::string_view layer) {
  if (!scope.starts_with(layer)) return false;
  const std::string_view rest = scope.substr(layer.size());
  return rest.empty() || (rest.size() > 1 && rest[0] == '_' &&
                          rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

}  // namespace

std::string variable_name(const std::string& weight_name, const std::string& layer) {
  std::string name = weight_name.substr(0, weight_name.rfind(':'));
  std::string inside;
  bool found = false;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t slash = name.find('/', at);
    if (slash == std::string::npos) break;
    if (is_scope_of(std::string_view(name).substr(at, slash - at), layer)) {
      inside = name.substr(slash + 1);
      found = true;
      break;
    }
    at = slash + 1;
  }
  if (found) return inside;
  const std::size_t last = name.rfind('/');
  if (last != std::string::npos) return name.substr(last + 1);
  return name.starts_with(layer + "_") ? name.substr(layer.size() + 1) : name;
}

}  // namespace tieout::keras
