#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

// Each cell several times, or the whole several times, one behind the other.   x: ... a ...   ->   y: ... k a
// ...
//
// Settings: counts, how often along each axis, in the input's own order; each, whether cells stand beside
// their copies (repeat), or the whole is repeated (tile).

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's rank, which is not known", "give it with --input-shape");
  const std::string name = listed_class(lifter.node());
  const std::size_t rank = lifter.input().axes.size();
  std::vector<std::int64_t> counts(rank, 1);
  const bool each = name == "ops.Repeat" || name == "tf.repeat" || name == "torch.repeat_interleave";
  if (lifter.is_torch()) {
    counts = lifter.settings().list("counts");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "input"});
    const Json repeats = arguments.take_or_setting(1, {"repeats", "multiples"});
    const Json axis = each ? arguments.take_or_setting(2, {"axis"}) : Json();
    arguments.finish();
    if (each && !repeats.is_number_integer() && !(repeats.is_array() && repeats.size() == 1))
      lifter.refuse("it repeats each cell another number of times", "repeat all cells equally");
    if (each) {
      counts.at(static_cast<std::size_t>(read_axis(lifter, axis))) =
          (repeats.is_array() ? repeats[0] : repeats).get<std::int64_t>();
    } else {
      counts = repeats.is_number_integer() ? std::vector{repeats.get<std::int64_t>()}
                                           : repeats.get<std::vector<std::int64_t>>();
      if (counts.size() < rank) counts.insert(counts.begin(), rank - counts.size(), 1);
    }
  }
  if (counts.size() != rank) lifter.refuse("it adds axes", "give as many numbers as the input has axes");
  if (counts[0] != 1) lifter.refuse("it repeats the batch", "repeat the axes of a sample");
  constexpr std::int64_t most = 1 << 20;
  if (std::ranges::any_of(counts, [](std::int64_t count) { return count < 1 || count > most; }))
    throw malformed("it repeats less than once, or more than a million times");
  Layer layer = lifter.layer("repeat");
  layer.settings = {{"counts", counts}, {"each", each}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  for (std::size_t k = 0; k < out.size(); ++k) {
    const auto count = layer.settings["counts"].at(k).get<std::int64_t>();
    if (count == 1) continue;
    out[k].parts.clear();
    if (out[k].size == unknown) continue;
    constexpr std::int64_t most = std::int64_t{1} << 31;
    if (out[k].size > most / count) throw malformed("it repeats an axis to more than 2^31 cells");
    out[k].size *= count;
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const auto counts = lowerer.layer().settings["counts"].get<std::vector<std::int64_t>>();
  std::vector<std::int64_t> target(counts.size());
  for (std::size_t k = 0; k < counts.size(); ++k)
    target[static_cast<std::size_t>(lowerer.target_axis(0, static_cast<int>(k)))] = counts[k];
  if (lowerer.layer().settings["each"] == false) {
    if (lowerer.to_torch())
      lowerer.add("torch.tile", {{"counts", target}}, "{0}.tile(" + python_tuple(target) + ")");
    else
      lowerer.add_node(operator_node("numpy", "Tile", {{"repeats", target}}));
    return;
  }
  // There is at most one axis that is repeated.
  const auto found = std::ranges::find_if(target, [](std::int64_t count) { return count != 1; });
  const auto axis = found == target.end() ? 1 : found - target.begin();
  const std::int64_t count = found == target.end() ? 1 : *found;
  if (lowerer.to_torch()) {
    lowerer.add("torch.repeat_interleave", {{"counts", target}},
                "{0}.repeat_interleave(" + std::to_string(count) + ", dim=" + std::to_string(axis) + ")");
  } else {
    lowerer.add_node(operator_node("numpy", "Repeat", {{"repeats", count}, {"axis", axis}}));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto counts = e.integers("counts");
  const bool each = e.flag("each");
  Shape shape = x.shape;
  for (std::size_t k = 0; k < shape.size(); ++k) shape[k] *= counts[k];
  Array y(shape);
  std::vector<std::int64_t> at(shape.size(), 0);
  for (double& value : y.data) {
    std::int64_t from = 0;
    for (std::size_t k = 0; k < shape.size(); ++k)
      from = from * x.shape[k] + (each ? at[k] / counts[k] : at[k] % x.shape[k]);
    value = x.data[static_cast<std::size_t>(from)];
    for (std::size_t k = shape.size(); k-- > 0;) {
      if (++at[k] < shape[k]) break;
      at[k] = 0;
    }
  }
  return {y};
}

// "repeat" taken for "tile", or the reverse.
bool other_way(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const auto counts = layer.settings["counts"].get<std::vector<std::int64_t>>();
  bool differs = false;
  for (std::size_t k = 0; k < counts.size(); ++k)
    differs = differs || (counts[k] > 1 && inputs.at(0)[k].size != 1);
  layer.settings["each"] = layer.settings["each"] == false;
  return differs;
}

}  // namespace

LayerKind repeat() {
  LayerKind kind;
  kind.name = "repeat";
  kind.torch = exact({"torch.tile", "torch.repeat_interleave"});
  kind.keras = exact({"ops.Tile", "ops.Repeat", "tf.tile", "tf.repeat"});
  kind.summary = "Each cell several times (repeat), or the whole several times (tile), along axes.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.tile.html",
                  "https://docs.pytorch.org/docs/stable/generated/torch.repeat_interleave.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      {"tile_repeat", "cells are repeated where the whole should be, or the reverse", other_way}};
  kind.cases = {operator_case("rows", "Repeat", {{"repeats", 2}, {"axis", 1}}, {{2, 4, 5, 3}}),
                operator_case("channels", "Repeat", {{"repeats", 3}, {"axis", -1}}, {{2, 4, 5, 3}}),
                operator_case("rows and columns", "Tile", {{"repeats", Json{1, 2, 3, 1}}}, {{2, 4, 5, 3}}),
                operator_case("channels", "Tile", {{"repeats", Json{1, 1, 1, 2}}}, {{2, 4, 5, 3}}),
                operator_case("the last axis", "Tile", {{"repeats", 2}}, {{2, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
