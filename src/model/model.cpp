#include "model/model.h"

#include <algorithm>

namespace tieout {

Shape shape_of(const Axes& axes) {
  Shape shape;
  for (const auto& axis : axes) shape.push_back(axis.size);
  return shape;
}

std::string to_pattern(const Axes& axes) {
  std::string text;
  for (const auto& axis : axes) {
    if (!text.empty()) text += " ";
    if (axis.parts.empty()) {
      text += axis.name;
      continue;
    }
    text += "(";
    for (std::size_t i = 0; i < axis.parts.size(); ++i) text += (i > 0 ? " " : "") + axis.parts[i].name;
    text += ")";
  }
  return text;
}

namespace {

// Whether some value has axes of both names, which must then stay two.
bool meet(const std::vector<Value>& values, const std::string& one, const std::string& other) {
  const auto has = [](const Axes& axes, const std::string& name) {
    return std::ranges::find(axes, name, &Axis::name) != axes.end();
  };
  return std::ranges::any_of(
      values, [&](const Value& value) { return has(value.axes, one) && has(value.axes, other); });
}

}  // namespace

void Model::rename_axis(const std::string& old_name, const std::string& new_name) {
  if (old_name == new_name) return;
  std::string free = new_name;
  for (int k = 2; meet(values, old_name, free); ++k) free = new_name + std::to_string(k);
  const auto rename = [&](Axis& axis) {
    if (axis.name == old_name) axis.name = free;
  };
  for (auto& value : values) {
    for (auto& axis : value.axes) {
      rename(axis);
      std::ranges::for_each(axis.parts, rename);
    }
  }
  for (auto& layer : layers) {
    for (auto& parameter : layer.parameters) {
      const auto rename_pattern = [&](Pattern& pattern) {
        pattern = replace_axis(pattern, old_name, {free});
      };
      rename_pattern(parameter.canonical);
      for (auto& term : parameter.terms) rename_pattern(term.pattern);
      if (auto size = parameter.sizes.extract(old_name); !size.empty()) {
        size.key() = free;
        parameter.sizes.insert(std::move(size));
      }
    }
  }
}

int Model::producer(int value) const {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (std::ranges::find(layers[i].outputs, value) != layers[i].outputs.end()) return static_cast<int>(i);
  }
  return -1;
}

bool Model::is_observable(int value) const {
  const int from = producer(value);
  if (from < 0) return true;
  const int node = layers[static_cast<std::size_t>(from)].node;
  return std::none_of(layers.begin() + from + 1, layers.end(), [&](const Layer& layer) {
    return layer.node == node && std::ranges::find(layer.inputs, value) != layer.inputs.end();
  });
}

std::string dump(const Model& model) {
  std::string text;
  for (const auto& layer : model.layers) {
    text += layer.name + ": " + layer.kind + " " + layer.settings.dump();
    for (const int value : layer.inputs) {
      text += " [" + to_pattern(model.values[static_cast<std::size_t>(value)].axes) + "]";
    }
    text += " ->";
    for (const int value : layer.outputs) {
      const auto& axes = model.values[static_cast<std::size_t>(value)].axes;
      text += " [" + to_pattern(axes) + "] " + to_string(shape_of(axes));
    }
    for (const auto& parameter : layer.parameters) {
      text += "\n    " + parameter.name + ": " + to_string(parameter.canonical);
      for (const auto& term : parameter.terms) text += " = " + term.tensor + ": " + to_string(term.pattern);
    }
    text += "\n";
  }
  return text;
}

}  // namespace tieout
