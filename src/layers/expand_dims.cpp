#include <algorithm>
#include <numeric>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/broadcast.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// Puts axes of one cell between the others.   x: n f   ->   y: n 1 1 f
//
// Setting "places": where the new axes stand in y, in rising order.

namespace tieout::layers {

namespace {

std::vector<std::int64_t> numbers(const Json& axes, Lifter& lifter) {
  if (axes.is_number_integer()) return {axes.get<std::int64_t>()};
  if (!axes.is_array() ||
      !std::ranges::all_of(axes, [](const Json& axis) { return axis.is_number_integer(); }))
    lifter.refuse("its axis " + axes.dump().substr(0, 60) + " is not a number", "give it as a number");
  return axes.get<std::vector<std::int64_t>>();
}

void lift(Lifter& lifter) {
  std::vector<std::int64_t> places;
  if (lifter.is_torch()) {
    places = lifter.settings().list("places");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "input"});
    places = numbers(arguments.take_or_setting(1, {"axis"}), lifter);
    arguments.finish();
  }
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's rank, which is not known", "give it with --input-shape");
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size() + places.size());
  for (auto& place : places) place = checked_axis(place, rank);
  std::ranges::sort(places);
  if (std::ranges::adjacent_find(places) != places.end()) throw malformed("it names an axis twice");
  if (!places.empty() && places.front() == 0)
    lifter.refuse("it puts an axis in front of the batch", "keep the batch first");
  Layer layer = lifter.layer("expand_dims");
  layer.settings = {{"places", places}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const auto places = layer.settings["places"].get<std::vector<std::size_t>>();
  Axes named = inputs[0];
  Axes out;
  auto next = inputs[0].begin();
  for (std::size_t p = 0; p < inputs[0].size() + places.size(); ++p) {
    if (std::ranges::find(places, p) == places.end()) {
      out.push_back(*next++);
      continue;
    }
    out.push_back({unit_axis_name(named), 1, {}});
    named.push_back(out.back());
  }
  return {out};
}

// A vector becomes an image of one cell as the target has images: the channels first in PyTorch, last in
// Keras.
std::vector<int> target_places(const Lowerer& lowerer) {
  auto places = lowerer.layer().settings["places"].get<std::vector<int>>();
  const auto count = static_cast<int>(places.size());
  std::vector<int> before(places.size());
  std::iota(before.begin(), before.end(), 1);
  std::vector<int> behind(places.size());
  std::iota(behind.begin(), behind.end(), 2);
  if (lowerer.axes().size() != 2 || count < 2) return places;
  if (lowerer.to_torch() && places == before) return behind;
  if (lowerer.to_keras() && places == behind) return before;
  return places;
}

void lower(Lowerer& lowerer) {
  const auto places = target_places(lowerer);
  Axes axes = lowerer.axes();
  Json shape = Json::array();
  for (const int place : places) axes.insert(axes.begin() + place, Axis{"one", 1, {}});
  bool sized = true;
  for (std::size_t k = 1; k < axes.size(); ++k) {
    sized = sized && axes[k].size != unknown;
    shape.push_back(axes[k].size);
  }
  if (lowerer.to_keras() && sized) {
    lowerer.add("Reshape", {{"target_shape", shape}});
  } else {
    add_expand(lowerer, lowerer.inputs().at(0), places, "");
  }
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  for (const std::int64_t place : e.integers("places")) y.shape.insert(y.shape.begin() + place, 1);
  return {y};
}

// The new axes where they would stand in the other framework's layout.
bool other_side(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  auto places = layer.settings["places"].get<std::vector<std::size_t>>();
  const std::size_t rank = inputs.at(0).size() + places.size();
  if (inputs[0].size() != 2 || inputs[0][1].size == 1 || places.size() < 2) return false;
  const bool before = places.front() == 1 && places.back() == rank - 2;
  const bool behind = places.front() == 2 && places.back() == rank - 1;
  if (!before && !behind) return false;
  for (auto& place : places) place = before ? place + 1 : place - 1;
  layer.settings["places"] = places;
  return true;
}

}  // namespace

LayerKind expand_dims() {
  LayerKind kind;
  kind.name = "expand_dims";
  kind.torch = exact({"torch.unsqueeze"});
  kind.keras = exact({"ops.ExpandDims", "tf.expand_dims"});
  kind.summary = "Puts axes of one cell between the others.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.unsqueeze.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {{"axis", "the new axes stand where the other framework's layout has them", other_side}};
  kind.cases = {operator_case("a vector to an image", "ExpandDims", {{"axis", Json{1, 2}}}, {{2, 3}}),
                operator_case("a vector to a column", "ExpandDims", {{"axis", -1}}, {{2, 3}}),
                operator_case("a sequence to an image", "ExpandDims", {{"axis", 2}}, {{2, 5, 3}}),
                operator_case("an image to a volume", "ExpandDims", {{"axis", 1}}, {{2, 4, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
