#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// Leaves out axes of one cell.   x: n 1 1 f   ->   y: n f
//
// Setting "axes": which, in rising order.

namespace tieout::layers {

namespace {

std::vector<std::int64_t> read_axes(Lifter& lifter, const Json& given) {
  const Axes& axes = lifter.input().axes;
  const auto rank = static_cast<std::int64_t>(axes.size());
  std::vector<std::int64_t> places;
  if (given.is_number_integer()) {
    places = {given.get<std::int64_t>()};
  } else if (given.is_array()) {
    places = given.get<std::vector<std::int64_t>>();
  } else {
    for (std::int64_t k = 1; k < rank; ++k) {
      const std::int64_t size = axes[static_cast<std::size_t>(k)].size;
      if (size == unknown) lifter.refuse("which axes it leaves out depends on the input", "name its axis");
      if (size == 1) places.push_back(k);
    }
  }
  for (auto& place : places) {
    place = checked_axis(place, rank);
    if (place == 0) lifter.refuse("it leaves out the batch", "keep the batch");
    const std::int64_t size = axes[static_cast<std::size_t>(place)].size;
    if (size != 1 && size != unknown)
      throw malformed("it leaves out an axis of " + std::to_string(size) + " cells");
  }
  std::ranges::sort(places);
  return places;
}

void lift(Lifter& lifter) {
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's rank, which is not known", "give it with --input-shape");
  Json given;
  if (lifter.is_torch()) {
    given = lifter.settings().raw("dim");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "input"});
    given = arguments.take_or_setting(1, {"axis"});
    arguments.finish();
  }
  Layer layer = lifter.layer("squeeze");
  layer.settings = {{"axes", read_axes(lifter, given)}};
  lifter.add(std::move(layer));
}

bool leaves_out(const Layer& layer, std::size_t axis) {
  const auto axes = layer.settings["axes"].get<std::vector<std::size_t>>();
  return std::ranges::find(axes, axis) != axes.end();
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out;
  for (std::size_t k = 0; k < inputs[0].size(); ++k) {
    if (!leaves_out(layer, k)) out.push_back(inputs[0][k]);
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  std::vector<std::int64_t> places;
  for (const int axis : lowerer.layer().settings["axes"].get<std::vector<int>>())
    places.push_back(lowerer.target_axis(0, axis));
  std::ranges::sort(places);
  if (lowerer.to_torch()) {
    const std::string dims = places.size() == 1 ? std::to_string(places[0]) : python_tuple(places);
    lowerer.add("torch.squeeze", {{"dim", places}}, "{0}.squeeze(" + dims + ")");
    return;
  }
  Json shape = Json::array();
  bool sized = true;
  for (std::size_t k = 1; k < lowerer.axes().size(); ++k) {
    if (std::ranges::find(places, static_cast<std::int64_t>(k)) != places.end()) continue;
    sized = sized && lowerer.axes()[k].size != unknown;
    shape.push_back(lowerer.axes()[k].size);
  }
  if (sized && !shape.empty()) {
    lowerer.add("Reshape", {{"target_shape", shape}});
  } else {
    lowerer.add_node(operator_node("numpy", "Squeeze", {{"axis", places}}));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  Shape shape;
  for (std::size_t k = 0; k < y.rank(); ++k) {
    if (!leaves_out(e.layer, k)) shape.push_back(y.shape[k]);
  }
  y.shape = shape;
  return {y};
}

}  // namespace

LayerKind squeeze() {
  LayerKind kind;
  kind.name = "squeeze";
  kind.torch = exact({"torch.squeeze"});
  kind.keras = exact({"ops.Squeeze", "tf.compat.v1.squeeze"});
  kind.summary = "Leaves out axes of one cell.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  kind.cases = {operator_case("an image of one cell", "Squeeze", {{"axis", Json{1, 2}}}, {{2, 1, 1, 3}}),
                operator_case("one channel", "Squeeze", {{"axis", -1}}, {{2, 4, 5, 1}}),
                operator_case("one row", "Squeeze", {{"axis", 1}}, {{2, 1, 5, 3}}),
                operator_case("whatever has one cell", "Squeeze", {{"axis", nullptr}}, {{2, 1, 5, 1}})};
  return kind;
}

}  // namespace tieout::layers
