#include <algorithm>
#include <numeric>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

// Takes x apart along an axis: an output for each part.   x: n ... (a_0 + a_1) ...   ->   y_k: n ... a_k ...
//
// Settings: axis, in the input's own order; sizes; unstack, whether the parts, of one cell each, lose the
// axis.

namespace tieout::layers {

namespace {

using Sizes = std::vector<std::int64_t>;

std::int64_t known_size(const Lifter& lifter, std::int64_t axis) {
  const std::int64_t size = lifter.size(0, static_cast<int>(axis));
  if (size == unknown)
    lifter.refuse("it depends on the size of its axis, which is not known", "give it with --input-shape");
  return size;
}

Sizes equal_parts(std::int64_t size, std::int64_t count) {
  if (count < 1 || size % count != 0)
    throw malformed("an axis of " + std::to_string(size) + " cells is split into " + std::to_string(count));
  return Sizes(static_cast<std::size_t>(count), size / count);
}

// keras.ops.split: a number of parts, or the cells at which parts begin.
Sizes keras_sizes(const Lifter& lifter, const Json& given, std::int64_t size) {
  if (given.is_number_integer()) return equal_parts(size, given.get<std::int64_t>());
  if (!given.is_array()) lifter.refuse("it is split at places that are no numbers", "give them as numbers");
  Sizes sizes;
  std::int64_t last = 0;
  for (const auto place : given.get<Sizes>()) {
    const std::int64_t at = std::clamp<std::int64_t>(place < 0 ? place + size : place, 0, size);
    if (at < last) throw malformed("its places are not in rising order");
    sizes.push_back(at - last);
    last = at;
  }
  sizes.push_back(size - last);
  return sizes;
}

// tf.split: a number of parts, or their sizes, one of which may be -1.
Sizes tensorflow_sizes(const Json& given, std::int64_t size) {
  if (given.is_number_integer()) return equal_parts(size, given.get<std::int64_t>());
  auto sizes = given.get<Sizes>();
  if (std::ranges::any_of(sizes, [&](std::int64_t part) { return part < -1 || part > size; }))
    throw malformed("its parts do not fit the axis");
  const auto open = std::ranges::find(sizes, -1);
  if (open != sizes.end()) *open = size - (std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) + 1);
  return sizes;
}

void lift(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  Layer layer = lifter.layer("split");
  const bool unstack = name == "torch.unbind" || name == "ops.Unstack" || name == "tf.unstack";
  std::int64_t axis = 0;
  Sizes sizes;
  if (lifter.is_torch()) {
    axis = read_axis(lifter, lifter.settings().raw("dim"));
    sizes = unstack ? Sizes(static_cast<std::size_t>(known_size(lifter, axis)), 1)
                    : lifter.settings().list("sizes");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "value"});
    const Json given = arguments.take_or_setting(1, {"indices_or_sections", "num_or_size_splits", "num"});
    const Json where = arguments.take_or_setting(2, {"axis"});
    arguments.finish();
    axis = read_axis(lifter, where.is_null() ? Json(0) : where);
    const std::int64_t size = known_size(lifter, axis);
    sizes = unstack              ? Sizes(static_cast<std::size_t>(size), 1)
            : name == "tf.split" ? tensorflow_sizes(given, size)
                                 : keras_sizes(lifter, given, size);
  }
  if (axis == 0) lifter.refuse("it takes the batch apart", "use another axis");
  const std::int64_t size = known_size(lifter, axis);
  if (std::ranges::any_of(sizes, [&](std::int64_t part) { return part < 1 || part > size; }) ||
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != size) {
    lifter.refuse("its parts do not make up the axis of " + std::to_string(size) + " cells",
                  "give it parts of at least one cell");
  }
  layer.settings = {{"axis", axis}, {"sizes", sizes}, {"unstack", unstack}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const auto axis = layer.settings["axis"].get<std::int64_t>();
  std::vector<Axes> out;
  for (const auto& size : layer.settings["sizes"]) {
    Axes part = inputs[0];
    if (layer.settings["unstack"] == true)
      part.erase(part.begin() + axis);
    else
      part.at(static_cast<std::size_t>(axis)) = {part[static_cast<std::size_t>(axis)].name, size, {}};
    out.push_back(std::move(part));
  }
  return out;
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  const std::int64_t axis = target_axes(lowerer).at(0);
  const auto sizes = settings["sizes"].get<Sizes>();
  const auto count = static_cast<std::int64_t>(sizes.size());
  if (settings["unstack"] == true && lowerer.to_torch()) {
    lowerer.add("torch.unbind", {{"dim", axis}, {"_outputs", count}},
                "{0}.unbind(dim=" + std::to_string(axis) + ")");
  } else if (settings["unstack"] == true) {
    lowerer.add_node(operator_node("core", "Unstack", {{"num", count}, {"axis", axis}}));
  } else if (lowerer.to_torch()) {
    lowerer.add("torch.split", {{"sizes", sizes}, {"dim", axis}, {"_outputs", count}},
                "{0}.split(" + python_tuple(sizes) + ", dim=" + std::to_string(axis) + ")");
  } else {
    Json places = Json::array();
    std::int64_t last = 0;
    for (std::size_t k = 0; k + 1 < sizes.size(); ++k) places.push_back(last += sizes[k]);
    if (places.empty()) places = 1;  // one part: there is no place to split at
    lowerer.add_node(operator_node("numpy", "Split", {{"indices_or_sections", places}, {"axis", axis}}));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto axis = static_cast<std::size_t>(e.integer("axis"));
  std::size_t outer = 1;
  std::size_t inner = 1;
  for (std::size_t k = 0; k < axis; ++k) outer *= static_cast<std::size_t>(x.shape[k]);
  for (std::size_t k = axis + 1; k < x.rank(); ++k) inner *= static_cast<std::size_t>(x.shape[k]);
  const Sizes sizes = e.integers("sizes");
  if (std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != x.size(axis))
    throw malformed("its parts do not make up the axis");
  std::vector<Array> parts;
  std::size_t first = 0;
  for (const std::int64_t size : sizes) {
    Shape shape = x.shape;
    shape[axis] = size;
    Array part(shape);
    const std::size_t width = static_cast<std::size_t>(size) * inner;
    for (std::size_t row = 0; row < outer; ++row) {
      const auto from = row * static_cast<std::size_t>(x.shape[axis]) * inner + first * inner;
      std::copy_n(x.data.begin() + static_cast<std::ptrdiff_t>(from), width,
                  part.data.begin() + static_cast<std::ptrdiff_t>(row * width));
    }
    if (e.flag("unstack")) part.shape.erase(part.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    first += static_cast<std::size_t>(size);
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

LayerKind split() {
  LayerKind kind;
  kind.name = "split";
  kind.torch = exact({"torch.split", "torch.unbind"});
  kind.keras = exact({"ops.Split", "ops.Unstack", "tf.split", "tf.unstack"});
  kind.summary = "Takes x apart along an axis: an output for each part.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.split.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  Mistake axis =
      other_layout_mistake("it runs along the axis that has this number in the other framework's layout");
  // An axis of another size cannot be taken apart in the same way.
  axis.mutate = [other = axis.mutate](Layer& layer, Framework framework, const std::vector<Axes>& inputs) {
    const auto size = [&] { return inputs.at(0).at(layer.settings["axis"].get<std::size_t>()).size; };
    const std::int64_t own = size();
    return other(layer, framework, inputs) && size() == own;
  };
  kind.mistakes = {std::move(axis)};
  kind.cases = {
      operator_case("channels", "Split", {{"indices_or_sections", 3}, {"axis", -1}}, {{2, 4, 5, 6}}),
      operator_case("rows, unequal", "Split", {{"indices_or_sections", Json{1, 3}}, {"axis", 1}},
                    {{2, 4, 5, 3}}),
      operator_case("a cube, unequal", "Split", {{"indices_or_sections", Json{1, 3}}, {"axis", -1}},
                    {{2, 4, 4, 4}}),
      operator_case("one part", "Split", {{"indices_or_sections", 1}, {"axis", 1}}, {{2, 5, 3}}),
      operator_case("channels, one by one", "Unstack", {{"num", nullptr}, {"axis", -1}}, {{2, 4, 5, 3}}),
      operator_case("steps of a sequence", "Unstack", {{"num", 5}, {"axis", 1}}, {{2, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
