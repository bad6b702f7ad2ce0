#include <algorithm>
#include <optional>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"
#include "layers/shared/slice_index.h"
#include "tieout/error.h"

// Some of the cells along each axis, as x[:, 0, 1:3] of Python takes them.   x: n a b   ->   y: n b'
//
// Setting "index": an entry for each axis of x and each new one: {"at": i} takes one cell and drops the axis,
// {"start", "stop", "step"} takes a range (null as in Python), "new" puts an axis of one cell there.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's rank, which is not known", "give it with --input-shape");
  Json index;
  if (lifter.is_torch()) {
    index = lifter.settings().raw("index");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "tensor"});
    index = full_index(lifter, arguments.take(1, {"key", "slice_spec"}));
    arguments.finish();
  }
  check_index(lifter, index);
  Layer layer = lifter.layer("slice");
  layer.settings = {{"index", index}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes names = inputs[0];
  Axes out;
  std::size_t k = 0;
  for (const auto& entry : layer.settings["index"]) {
    if (entry == "new") {
      out.push_back({free_axis_name(names, "one"), 1, {}});
      names.push_back(out.back());
      continue;
    }
    const Axis& axis = inputs[0].at(k++);
    if (entry.contains("at")) continue;
    out.push_back(axis);
    if (is_whole(entry)) continue;
    out.back().parts.clear();
    if (axis.size != unknown) out.back().size = cells_of(entry, axis.size).count;
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& source = lowerer.layer().settings["index"];
  Json index = source;
  // Entries go with their axes; with new axes the layout is the source's.
  if (std::ranges::find(source, Json("new")) == source.end()) {
    for (std::size_t k = 0; k < source.size(); ++k)
      index[static_cast<std::size_t>(lowerer.target_axis(0, static_cast<int>(k)))] = source[k];
  }
  if (lowerer.to_torch()) {
    lowerer.add("operator.getitem", {{"index", index}}, python_index(index));
  } else {
    lowerer.add_node(operator_node("numpy", "GetItem", Json::object(),
                                   Json::array({Json{{"input", 0}}, keras_index(index)})));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  std::vector<Cells> cells;
  Shape shape;
  Shape taken;
  for (const auto& entry : e.layer.settings["index"]) {
    if (entry == "new") {
      shape.push_back(1);
      continue;
    }
    const std::int64_t size = x.size(cells.size());
    cells.push_back(cells_of(entry, size));
    taken.push_back(cells.back().count);
    if (!entry.contains("at")) shape.push_back(cells.back().count);
  }
  Array y(shape);
  std::vector<std::int64_t> at(taken.size(), 0);
  for (double& value : y.data) {
    std::int64_t from = 0;
    for (std::size_t k = 0; k < taken.size(); ++k)
      from = from * x.shape[k] + cells[k].first + at[k] * cells[k].step;
    value = x.data.at(static_cast<std::size_t>(from));
    for (std::size_t k = taken.size(); k-- > 0;) {
      if (++at[k] < taken[k]) break;
      at[k] = 0;
    }
  }
  return {y};
}

// The entries where the same numbers stand in the other framework's layout.
bool other_layout(Layer& layer, Framework framework, const std::vector<Axes>& inputs) {
  Json& index = layer.settings["index"];
  const Json own = index;
  if (index.size() != inputs.at(0).size() || index.size() < 3) return false;
  for (std::size_t k = 1; k < index.size(); ++k) {
    const auto other = static_cast<std::size_t>(
        axis_of_the_number(static_cast<std::int64_t>(k), static_cast<std::int64_t>(index.size()), framework));
    if (inputs[0][k].size != inputs[0][other].size && !is_whole(own[k])) return false;
    index[other] = own[k];
  }
  return index != own;
}

std::vector<Case> cases() {
  const Json x{{"input", 0}};
  const auto range = [](const Json& start, const Json& stop, const Json& step) {
    return Json{{"class_name", "__slice__"}, {"config", {{"start", start}, {"stop", stop}, {"step", step}}}};
  };
  const Json all = range(nullptr, nullptr, nullptr);
  const Json rest{{"class_name", "__ellipsis__"}, {"config", Json::object()}};
  const auto made = [&](const std::string& name, const Shape& shape, const Json& index) {
    return operator_case(name, "GetItem", {{"args", Json::array({x, index})}}, {shape});
  };
  return {made("one row", {2, 4, 5, 3}, Json::array({all, 0})),
          made("half a cube", {2, 4, 4, 4}, Json::array({all, range(nullptr, 2, nullptr)})),
          made("one channel", {2, 4, 5, 3}, Json::array({rest, -1})),
          made("rows and channels", {2, 4, 5, 3},
               Json::array({all, range(1, 3, nullptr), rest, range(nullptr, 2, nullptr)})),
          made("every second column", {2, 4, 5, 3}, Json::array({all, all, range(nullptr, nullptr, 2), all})),
          made("without the edges", {2, 4, 5, 3},
               Json::array({all, range(1, -1, nullptr), range(1, -1, nullptr)})),
          made("backwards", {2, 6, 3}, Json::array({all, range(nullptr, nullptr, -1)})),
          made("some, backwards", {2, 6, 3}, Json::array({all, range(-2, 0, -2)})),
          made("last step", {2, 6, 3}, Json::array({all, -1})),
          made("a new axis", {2, 5, 3}, Json::array({all, nullptr})),
          made("a new last axis", {2, 4, 5, 3}, Json::array({rest, nullptr})),
          made("one column as a new axis", {2, 4, 5, 3}, Json::array({all, all, 1, nullptr}))};
}

}  // namespace

LayerKind slice() {
  LayerKind kind;
  kind.name = "slice";
  kind.torch = exact({"operator.getitem"});
  kind.keras = exact({"ops.GetItem", "tf.__operators__.getitem"});
  kind.summary = "Some of the cells along each axis, as x[:, 0, 1:3] of Python takes them.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/tensor_view.html", "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer& layer, Framework) {
    const Json& index = layer.settings["index"];
    const bool adds = std::ranges::find(index, Json("new")) != index.end();
    return LayoutNeed{adds ? LayoutNeed::Kind::source : LayoutNeed::Kind::any, {}};
  };
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {{"axis",
                    "it takes the cells along the axis that has this number in the other framework's layout",
                    other_layout}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
