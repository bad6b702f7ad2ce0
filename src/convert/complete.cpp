#include "convert/complete.h"

#include <algorithm>
#include <optional>

namespace tieout {

namespace {

bool is_complete(const Value& value) {
  return value.known && std::none_of(value.axes.begin() + 1, value.axes.end(),
                                     [](const Axis& axis) { return axis.size == unknown; });
}

// The other value's sizes in the order of this one; of an input of unknown rank, in the other's own order,
// which both frameworks share for everything but images (and an image's axes are named by the layer that
// takes it).
std::optional<Shape> shape_from(const Value& open, const Value& other) {
  if (!is_complete(other)) return std::nullopt;
  Shape shape;
  if (!open.known) {
    for (std::size_t k = 1; k < other.axes.size(); ++k) shape.push_back(other.axes[k].size);
    return shape;
  }
  if (open.axes.size() != other.axes.size()) return std::nullopt;
  for (std::size_t k = 1; k < open.axes.size(); ++k) {
    const auto found = std::ranges::find(other.axes, open.axes[k].name, &Axis::name);
    if (found == other.axes.end()) return std::nullopt;
    shape.push_back(found->size);
  }
  return shape;
}

}  // namespace

InputShapes complete_shapes(const Model& open, const Model& other, const InputShapes& given) {
  InputShapes shapes = given;
  if (open.inputs.size() != other.inputs.size()) return shapes;
  for (std::size_t i = 0; i < open.inputs.size(); ++i) {
    const auto& name = open.input_names[i];
    const bool is_given = given.contains(name) || (open.inputs.size() == 1 && given.contains(""));
    const Value& value = open.values[static_cast<std::size_t>(open.inputs[i])];
    if (is_given || is_complete(value)) continue;
    if (auto shape = shape_from(value, other.values[static_cast<std::size_t>(other.inputs[i])]))
      shapes[name] = *shape;
  }
  return shapes;
}

}  // namespace tieout
