#include <algorithm>
#include <numeric>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/broadcast.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "model/usual_layout.h"
#include "tieout/error.h"

// Reorders the axes; names go with them.   x: a b c   ->   y: the same axes in the order `dims`

namespace tieout::layers {

namespace {

using Dims = std::vector<std::int64_t>;

std::int64_t rank_of(const Lifter& lifter) {
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's rank, which is not known", "give it with --input-shape");
  return static_cast<std::int64_t>(lifter.input().axes.size());
}

// numpy's moveaxis: `from` go to the places `to`, the others keep their order.
Dims moved(const Lifter& lifter, const Json& source, const Json& destination) {
  const std::int64_t rank = rank_of(lifter);
  const auto list = [&](const Json& given) {
    Dims axes = given.is_number_integer() ? Dims{given.get<std::int64_t>()} : given.get<Dims>();
    for (auto& axis : axes) axis = checked_axis(axis, rank);
    return axes;
  };
  const Dims from = list(source);
  const Dims to = list(destination);
  if (from.size() != to.size()) throw malformed("it moves another number of axes than it has places for");
  Dims dims;
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    if (std::ranges::find(from, axis) == from.end()) dims.push_back(axis);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> moves;
  for (std::size_t k = 0; k < from.size(); ++k) moves.emplace_back(to[k], from[k]);
  std::ranges::sort(moves);
  for (const auto& [place, axis] : moves) {
    if (place > static_cast<std::int64_t>(dims.size())) throw malformed("it names a place twice");
    dims.insert(dims.begin() + place, axis);
  }
  return dims;
}

Dims swapped(const Lifter& lifter, const Json& first, const Json& second) {
  Dims dims(static_cast<std::size_t>(rank_of(lifter)));
  std::iota(dims.begin(), dims.end(), 0);
  const auto place = [&](const Json& axis) {
    return static_cast<std::size_t>(checked_axis(axis.get<std::int64_t>(), rank_of(lifter)));
  };
  std::swap(dims.at(place(first)), dims.at(place(second)));
  return dims;
}

Dims of_operator(Lifter& lifter, const std::string& name) {
  CallArguments arguments(lifter);
  arguments.take(0, {"x", "a"});
  Dims dims;
  if (name == "ops.Moveaxis") {
    const Json source = arguments.take_or_setting(1, {"source"});
    dims = moved(lifter, source, arguments.take_or_setting(2, {"destination"}));
  } else if (name == "ops.Swapaxes") {
    const Json first = arguments.take_or_setting(1, {"axis1"});
    dims = swapped(lifter, first, arguments.take_or_setting(2, {"axis2"}));
  } else {
    const Json axes =
        name == "tf.transpose" ? arguments.take(1, {"perm"}) : arguments.take_or_setting(1, {"axes"});
    if (axes.is_null()) {  // all the axes, reversed
      dims.resize(static_cast<std::size_t>(rank_of(lifter)));
      std::iota(dims.rbegin(), dims.rend(), 0);
    } else {
      for (const auto axis : axes.get<Dims>()) dims.push_back(checked_axis(axis, rank_of(lifter)));
    }
  }
  arguments.finish();
  return dims;
}

Dims read_dims(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  if (name.starts_with("ops.") || name.starts_with("tf.")) return of_operator(lifter, name);
  Dims dims = lifter.settings().list("dims");
  // Keras' layer leaves the batch out and keeps it first.
  if (lifter.is_keras()) dims.insert(dims.begin(), 0);
  return dims;
}

void lift(Lifter& lifter) {
  const Dims dims = read_dims(lifter);
  Layer layer = lifter.layer("permute");
  std::vector<bool> seen(dims.size(), false);
  for (const std::int64_t axis : dims) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(dims.size()) || seen[static_cast<std::size_t>(axis)]) {
      throw malformed("dims is not a permutation of the axes");
    }
    seen[static_cast<std::size_t>(axis)] = true;
  }
  if (!lifter.weights_only() && lifter.input().known && lifter.input().axes.size() != dims.size()) {
    throw malformed("dims names " + std::to_string(dims.size()) + " axes, the input has " +
                    std::to_string(lifter.input().axes.size()));
  }
  layer.settings = {{"dims", dims}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out;
  for (const int axis : layer.settings["dims"].get<std::vector<int>>()) {
    out.push_back(inputs[0].at(static_cast<std::size_t>(axis)));
  }
  return {out};
}

// Straight from the order that the value has in the target to the one that the source's output has; nothing
// where that is the same. An image whose channels alone move stays as the target has images: the layers that
// follow go by the names of the axes.
void lower(Lowerer& lowerer) {
  const Axes out = infer(lowerer.layer(), {lowerer.source_axes()}).at(0);
  const auto framework = lowerer.to_torch() ? Framework::torch : Framework::keras;
  if (is_usual_layout(out) && names_of(lowerer.axes()) == usual_layout(out, framework)) return;
  std::vector<int> dims;
  for (const int axis : lowerer.layer().settings["dims"].get<std::vector<int>>())
    dims.push_back(lowerer.target_axis(0, axis));
  if (!std::ranges::is_sorted(dims)) add_permute(lowerer, lowerer.inputs().at(0), dims, "");
}

}  // namespace

LayerKind permute() {
  LayerKind kind;
  kind.name = "permute";
  kind.torch = exact({"torch.permute"});
  kind.keras = exact({"Permute", "ops.Transpose", "ops.Moveaxis", "ops.Swapaxes", "tf.transpose"});
  kind.summary = "Reorders the axes of x.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.permute.html",
                  "https://keras.io/api/layers/reshaping_layers/permute/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.rearranges = true;
  kind.compute = [](const Evaluation& e) {
    return std::vector<Array>{permuted(*e.inputs[0], e.layer.settings["dims"].get<std::vector<int>>())};
  };
  kind.cases = {keras_case("channels first", "Permute", {{"dims", Json::array({3, 1, 2})}}, {2, 4, 5, 3}),
                keras_case("rows and columns", "Permute", {{"dims", Json::array({2, 1, 3})}}, {2, 4, 5, 3}),
                keras_case("sequence", "Permute", {{"dims", Json::array({2, 1})}}, {2, 4, 5}),
                operator_case("channels first", "Transpose", {{"axes", Json{0, 3, 1, 2}}}, {{2, 4, 5, 3}}),
                operator_case("a sequence", "Transpose", {{"axes", Json{0, 2, 1}}}, {{2, 4, 5}}),
                operator_case("channels to the front", "Moveaxis", {{"source", -1}, {"destination", 1}},
                              {{2, 4, 5, 3}}),
                operator_case("rows and columns", "Swapaxes", {{"axis1", 1}, {"axis2", 2}}, {{2, 4, 5, 3}})};
  return kind;
}

}  // namespace tieout::layers
