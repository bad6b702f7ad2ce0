#include "layers/shared/rescaling.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "layers/shared/sample_axes.h"
#include "tieout/error.h"

namespace tieout {

namespace {

constexpr int deepest = 8;

void collect(const Json& value, std::size_t depth, Array& array) {
  if (value.is_number()) {
    if (depth != array.shape.size()) throw malformed("a list of numbers is ragged");
    array.data.push_back(value.get<double>());
    return;
  }
  if (!value.is_array() || depth >= array.shape.size() ||
      static_cast<std::int64_t>(value.size()) != array.shape[depth]) {
    throw malformed("a list of numbers is ragged, or holds something else");
  }
  for (const Json& part : value) collect(part, depth + 1, array);
}

}  // namespace

Json number_or_list(const Json& setting, double fallback) {
  if (setting.is_null()) return fallback;
  Json value = setting;
  if (setting.is_object() && setting.contains("config") && setting["config"].is_object())
    value = setting["config"].value("value", Json());
  if (!value.is_number() && !value.is_array())
    throw malformed("expected a number or a list of numbers, found " + setting.dump().substr(0, 60));
  const Array array = array_of(value);
  return array.count() == 1 ? Json(array.data[0]) : value;
}

Array array_of(const Json& number_or_list) {
  Array array;
  const Json* first = &number_or_list;
  while (first->is_array() && !first->empty() && array.shape.size() < deepest) {
    array.shape.push_back(static_cast<std::int64_t>(first->size()));
    first = &first->front();
  }
  collect(number_or_list, 0, array);
  return array;
}

Json nested_list(const Array& array) {
  Shape shape = array.shape;
  while (!shape.empty() && shape.front() == 1) shape.erase(shape.begin());
  if (shape.empty()) return array.data.at(0);
  Json list = array.data;
  for (std::size_t k = shape.size(); k-- > 1;) {
    Json outer = Json::array();
    const auto size = static_cast<std::size_t>(shape[k]);
    for (std::size_t at = 0; at < list.size(); at += size) {
      Json inner = Json::array();
      for (std::size_t i = 0; i < size; ++i) inner.push_back(list[at + i]);
      outer.push_back(std::move(inner));
    }
    list = std::move(outer);
  }
  return list;
}

Array in_target_order(const Lowerer& lowerer, const Json& list) {
  const auto places = axes_in_target(lowerer);
  Array array;
  for (const int place : places) array.shape.push_back(lowerer.axes()[static_cast<std::size_t>(place)].size);
  array.data = list.get<std::vector<double>>();
  std::vector<int> order(places.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](int k) { return places[static_cast<std::size_t>(k)]; });
  return permuted(array, order);
}

Array broadcast_to(const Array& array, const Shape& shape) {
  if (array.rank() > shape.size()) throw malformed("a list of numbers has more axes than the input");
  const std::size_t missing = shape.size() - array.rank();
  std::vector<int> axes;
  for (std::size_t k = 0; k < array.rank(); ++k) {
    if (array.shape[k] != 1 && array.shape[k] != shape[k + missing]) {
      throw malformed("a list of the shape " + to_string(array.shape) + " does not fit an input with " +
                      to_string(shape));
    }
    if (array.shape[k] != 1) axes.push_back(static_cast<int>(k + missing));
  }
  return with_places(Array(shape), axes, [&](double, std::size_t place) { return array.data[place]; });
}

void lift_axis_rescaling(Lifter& lifter, const Json& scale, const Json& offset) {
  if (lifter.weights_only() || !lifter.input().known)
    lifter.refuse("its input's rank is not known", "give the whole model, and --input-shape");
  const Array factor = array_of(scale);
  const Array added = array_of(offset);
  const auto rank = lifter.input().axes.size();
  // Aligned on the right: the axes along which one of the two has more than one number.
  const auto runs_along = [&](const Array& array, std::size_t axis) {
    return axis + array.rank() >= rank && array.shape[axis + array.rank() - rank] != 1;
  };
  std::vector<int> axes;
  for (std::size_t k = 0; k < rank; ++k) {
    if (runs_along(factor, k) || runs_along(added, k)) axes.push_back(static_cast<int>(k));
  }
  if (!axes.empty() && axes[0] == 0)
    lifter.refuse("it has another number for each sample of the batch", "give it numbers for one sample");
  Shape shape(rank, 1);
  for (const int axis : axes) shape[static_cast<std::size_t>(axis)] = lifter.size(0, axis);
  if (std::ranges::find(shape, unknown) != shape.end())
    lifter.refuse("it has a number for each place of an axis of unknown size", "give it with --input-shape");
  Layer layer = lifter.layer("axis_rescaling");
  name_channels(lifter, axes);
  layer.settings = {{"axes", axes},
                    {"scale", broadcast_to(factor, shape).data},
                    {"offset", broadcast_to(added, shape).data}};
  lifter.add(std::move(layer));
}

}  // namespace tieout
