#include "verify/parameters.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "tensor/rearrange.h"
#include "tieout/error.h"

namespace tieout {

namespace {

struct Arranged {
  Pattern pattern;
  AxisSizes sizes;
};

// The canonical pattern with a flattened `along` axis written out as the image's axes.
Arranged arranged(const Model& model, const Layer& layer, const Parameter& parameter) {
  Arranged out{parameter.canonical, parameter.sizes};
  if (parameter.along.empty() || layer.inputs.empty()) return out;
  const auto& axes = model.values.at(static_cast<std::size_t>(layer.inputs[0])).axes;
  const auto flat = std::ranges::find_if(axes, [](const Axis& axis) { return !axis.parts.empty(); });
  if (flat == axes.end()) return out;
  std::vector<std::string> names;
  for (const auto& part : flat->parts) {
    names.push_back(part.name);
    out.sizes[part.name] = part.size;
  }
  out.pattern = replace_axis(parameter.canonical, parameter.along, names);
  out.sizes.erase(parameter.along);
  return out;
}

}  // namespace

std::optional<Array> carried_parameter(const Array& array, const Parameter& parameter,
                                       const Model& from_model, const Layer& from, const Parameter& target,
                                       const Model& to_model, const Layer& to) {
  const Arranged source = arranged(from_model, from, parameter);
  const Arranged goal = arranged(to_model, to, target);
  if (source.sizes != goal.sizes) return std::nullopt;
  try {
    Array result(pattern_shape(target.canonical, target.sizes));
    if (result.count() != array.count()) return std::nullopt;
    copy_elements(arrange(source.pattern, goal.pattern, source.sizes), sizeof(double),
                  std::as_bytes(std::span(array.data)), std::as_writable_bytes(std::span(result.data)));
    return result;
  } catch (const Error&) {
    return std::nullopt;  // axes of other names
  }
}

std::vector<ParameterDifference> differing_parameters(const Model& a, const FrameworkModel& file_a,
                                                      const Layer& left, const Model& b,
                                                      const FrameworkModel& file_b, const Layer& right,
                                                      double relative) {
  std::vector<ParameterDifference> all;
  for (const auto& parameter : left.parameters) {
    const auto partner = std::ranges::find(right.parameters, parameter.name, &Parameter::name);
    if (partner == right.parameters.end() || parameter.bookkeeping) continue;
    const auto ours =
        carried_parameter(load_parameter(parameter, file_a), parameter, a, left, *partner, b, right);
    ParameterDifference difference;
    difference.name = parameter.name;
    difference.comparable = ours.has_value();
    if (ours) {
      const Array theirs = load_parameter(*partner, file_b);
      for (std::size_t i = 0; i < theirs.count(); ++i) {
        difference.max_abs = std::max(difference.max_abs, std::abs(ours->data[i] - theirs.data[i]));
        difference.magnitude =
            std::max({difference.magnitude, std::abs(ours->data[i]), std::abs(theirs.data[i])});
      }
    }
    if (!ours || !(difference.max_abs <= relative * difference.magnitude)) all.push_back(difference);
  }
  return all;
}

}  // namespace tieout
