#include <algorithm>

#include "layers/layer_kind.h"
#include "tieout/error.h"

namespace tieout {

const LayerKind& kind_named(const std::string& name) {
  const auto& all = all_layers();
  const auto found = std::ranges::find(all, name, &LayerKind::name);
  if (found == all.end()) throw internal_error("there is no layer kind " + name);
  return *found;
}

const LayerKind* kind_of_class(Framework framework, const std::string& class_name) {
  for (const auto& kind : all_layers()) {
    const auto& classes = framework == Framework::torch ? kind.torch : kind.keras;
    const auto found = std::ranges::find(classes, class_name, &ClassEntry::name);
    if (found != classes.end()) return &kind;
  }
  return nullptr;
}

Array Evaluation::take(std::size_t k) const {
  if (k < spent.size() && spent[k] != nullptr) return std::move(*spent[k]);
  return *inputs.at(k);
}

const Array& Evaluation::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  if (found == parameters.end())
    throw internal_error("the layer " + layer.name + " has no parameter " + name);
  return found->second;
}

std::int64_t Evaluation::integer(const std::string& name) const {
  return layer.settings.at(name).get<std::int64_t>();
}

double Evaluation::number(const std::string& name) const {
  return layer.settings.at(name).get<double>();
}

bool Evaluation::flag(const std::string& name) const {
  return layer.settings.at(name).get<bool>();
}

std::vector<std::int64_t> Evaluation::integers(const std::string& name) const {
  return layer.settings.at(name).get<std::vector<std::int64_t>>();
}

}  // namespace tieout
