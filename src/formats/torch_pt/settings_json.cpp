#include "formats/torch_pt/settings_json.h"

#include <cmath>
#include <string>

#include "formats/torch_pt/tensor_reader.h"

namespace tieout::torch_pt {

namespace {

// Attributes of torch.nn's modules are numbers and short tuples; these bounds only stop what is not honest.
constexpr int deepest = 16;
constexpr int most_values = 100'000;

Json real_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

class Converter {
 public:
  Json convert(const PickleNode& node, int depth) {
    if (depth > deepest || ++values_ > most_values)
      throw node.error("an attribute of a module is too deep or too large");
    switch (node.kind()) {
      case PickleKind::none:
        return nullptr;
      case PickleKind::boolean:
        return node.boolean();
      case PickleKind::integer:
        return node.integer();
      case PickleKind::real:
        return real_json(node.real());
      case PickleKind::text:
        return std::string(node.text());
      case PickleKind::list:
      case PickleKind::tuple:
      case PickleKind::set:
        return sequence(node, depth);
      case PickleKind::dict:
        return mapping(node, depth);
      case PickleKind::global:
        return node.full_name();
      case PickleKind::object:
      case PickleKind::call:
        return {{"object", node.full_name()}};
      default:
        return {{"object", std::string(describe(node.kind()))}};
    }
  }

 private:
  Json sequence(const PickleNode& node, int depth) {
    Json array = Json::array();
    for (std::size_t i = 0; i < node.size(); ++i) array.push_back(convert(node.item(i), depth + 1));
    return array;
  }

  Json mapping(const PickleNode& node, int depth) {
    Json object = Json::object();
    for (std::size_t i = 0; i < node.pairs(); ++i) {
      const PickleNode key = node.key(i);
      const std::string name =
          key.is(PickleKind::text) ? std::string(key.text()) : convert(key, depth + 1).dump();
      object[name] = convert(node.value(i), depth + 1);
    }
    return object;
  }

  int values_ = 0;
};

}  // namespace

Json module_settings(const PickleNode& attributes) {
  Json settings = Json::object();
  Converter converter;
  for (std::size_t i = 0; i < attributes.pairs(); ++i) {
    const std::string name(attributes.key(i).text());
    if (name.empty() || name.front() == '_' || name == "training" || is_tensor(attributes.value(i))) continue;
    settings[name] = converter.convert(attributes.value(i), 0);
  }
  return settings;
}

}  // namespace tieout::torch_pt
