#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/spatial.h"
#include "layers/shared/taps.h"
#include "tieout/error.h"

// Chosen cells along an axis, in any order and number.   x: ... a ...   ->   y: ... (number of indices) ...
//
// Settings: axis (in the input's own order); indices, a list of cells, or a list of lists of the same length,
// which makes two axes of one.

namespace tieout::layers {

namespace {

using Cells = std::vector<std::vector<std::int64_t>>;

// The indices as rows; a plain list has rows of one cell.
Cells cells_of(const Json& indices) {
  Cells rows;
  for (const auto& row : indices) {
    if (row.is_array()) {
      rows.push_back(row.get<std::vector<std::int64_t>>());
    } else {
      rows.push_back({row.get<std::int64_t>()});
    }
  }
  return rows;
}

bool is_list_of_cells(const Json& indices) {
  const auto integer = [](const Json& one) { return one.is_number_integer(); };
  if (!indices.is_array() || indices.empty()) return false;
  if (std::ranges::all_of(indices, integer)) return true;
  return std::ranges::all_of(indices, [&](const Json& row) {
    return row.is_array() && !row.empty() && row.size() == indices[0].size() &&
           std::ranges::all_of(row, integer);
  });
}

// torch.nn.ChannelShuffle: channels (groups, members) become (members, groups).
void lift_shuffle(Lifter& lifter) {
  if (!lifter.weights_only() && lifter.input().known && lifter.input().axes.size() != 4)
    lifter.refuse("it shuffles an input that is no batch of images", "use it on (N, C, H, W)");
  const auto order = image_order(lifter, 2);
  const std::int64_t groups = lifter.settings().integer("groups");
  const std::int64_t channels = lifter.size(0, 1);
  if (channels == unknown)
    lifter.refuse("it depends on the number of channels, which is not known", "give it with --input-shape");
  if (groups < 1 || channels % groups != 0)
    throw malformed("groups is not a divisor of the number of channels");
  std::vector<std::int64_t> indices;
  for (std::int64_t k = 0; k < channels; ++k)
    indices.push_back(k % groups * (channels / groups) + k / groups);
  Layer layer = lifter.layer("take");
  layer.orders = {order};
  layer.settings = {{"axis", 1}, {"indices", indices}};
  lifter.add(std::move(layer));
}

void lift(Lifter& lifter) {
  if (lifter.node().class_name == "ChannelShuffle") {
    lift_shuffle(lifter);
    return;
  }
  const auto& given = lifter.settings();
  Json indices;
  if (lifter.is_torch()) {
    indices = given.raw("index");
  } else {
    const Json& args = given.raw("args");
    const Json& kwargs = given.raw("kwargs");
    if (args.is_array() && args.size() == 2) indices = args[1];
    if (args.is_array() && args.size() == 1 && kwargs.is_object()) indices = kwargs.value("indices", Json());
  }
  if (!is_list_of_cells(indices) || lifter.input_count() != 1)
    lifter.refuse("its indices are not a constant list", "give them as a list of numbers");
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's shape, which is not known", "give it with --input-shape");
  if (!given.has("axis") && !given.has("dim"))
    lifter.refuse("it takes from the flattened input, batch and all", "give it an axis");
  const auto rank = static_cast<std::int64_t>(lifter.input().axes.size());
  const std::int64_t axis = checked_axis(given.integer(lifter.is_torch() ? "dim" : "axis"), rank);
  if (axis == 0) lifter.refuse("it takes from the batch", "give it an axis of the sample");
  const std::int64_t size = lifter.size(0, static_cast<int>(axis));
  // Cells of a sequence that nothing has named yet are taken as a resampling takes them, or neighbouring
  // channels for their sum.
  if (lifter.is_keras() && rank == 3 && (axis == 1 || indices[0].is_array()))
    lifter.roles(0, {"n", "l", "c"});
  Layer layer = lifter.layer("take");
  // Negative indices count from the end.
  const auto solve = [&](Json& index) {
    auto cell = index.get<std::int64_t>();
    if (cell < 0 && size == unknown)
      lifter.refuse("an index counts from the end of an axis whose size is not known",
                    "give it with --input-shape");
    if (cell < 0) cell += size;
    if (cell < 0 || (size != unknown && cell >= size)) throw malformed("an index is behind the axis' end");
    index = cell;
  };
  for (auto& row : indices) {
    if (!row.is_array()) solve(row);
    if (row.is_array()) std::ranges::for_each(row, solve);
  }
  layer.settings = {{"axis", axis}, {"indices", indices}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const Json& indices = layer.settings["indices"];
  const auto axis = layer.settings["axis"].get<std::ptrdiff_t>();
  auto& taken = out.at(static_cast<std::size_t>(axis));
  taken.size = static_cast<std::int64_t>(indices.size());
  taken.parts.clear();
  if (!indices[0].is_array()) return {out};
  std::string name = "taps";
  while (std::ranges::find(out, name, &Axis::name) != out.end()) name += "_";
  out.insert(out.begin() + axis + 1, {name, static_cast<std::int64_t>(indices[0].size()), {}});
  return {out};
}

LayoutNeed need(const Layer& layer, Framework) {
  // Two axes out of one stand beside each other.
  if (layer.settings["indices"][0].is_array()) return {LayoutNeed::Kind::source, {}};
  return {};
}

void lower(Lowerer& lowerer) {
  const Json& indices = lowerer.layer().settings["indices"];
  const int axis = lowerer.target_axis(0, lowerer.layer().settings["axis"].get<int>());
  if (lowerer.to_torch()) {
    std::string before = "{0}[";
    for (int k = 0; k < axis; ++k) before += ":, ";
    std::string list = indices.dump(-1);
    for (std::size_t k = 0; (k = list.find(',', k)) != std::string::npos; k += 2) list.replace(k, 1, ", ");
    lowerer.add("torch.index_select", {{"dim", axis}, {"index", indices}}, before + list + "]");
    return;
  }
  add_keras_take(lowerer, static_cast<std::size_t>(axis), indices, {});
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto axis = static_cast<std::size_t>(e.integer("axis"));
  const Json& indices = e.layer.settings["indices"];
  const auto rows = cells_of(indices);
  Shape shape = x.shape;
  shape[axis] = static_cast<std::int64_t>(rows.size());
  if (indices[0].is_array())
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                 static_cast<std::int64_t>(rows[0].size()));
  Array y(shape);
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (std::size_t k = 0; k < axis; ++k) outer *= x.shape[k];
  for (std::size_t k = axis + 1; k < x.rank(); ++k) inner *= x.shape[k];
  auto into = y.data.begin();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const auto& row : rows) {
      for (const std::int64_t cell : row) {
        if (cell >= x.shape[axis]) throw malformed("an index is behind the axis' end");
        const auto from = x.data.begin() + (o * x.shape[axis] + cell) * inner;
        into = std::copy(from, from + inner, into);
      }
    }
  }
  return {y};
}

// A permutation in the place of the one that undoes it: a shuffle of 2 groups for one of C / 2.
bool inverted(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const auto rows = cells_of(layer.settings["indices"]);
  const auto axis = layer.settings["axis"].get<std::size_t>();
  const std::int64_t size = inputs.at(0).at(axis).size;
  std::vector<std::int64_t> inverse(rows.size(), -1);
  if (size != static_cast<std::int64_t>(rows.size())) return false;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (rows[k].size() != 1) return false;
    inverse.at(static_cast<std::size_t>(rows[k][0])) = static_cast<std::int64_t>(k);
  }
  if (std::ranges::find(inverse, -1) != inverse.end() || Json(inverse) == layer.settings["indices"])
    return false;
  layer.settings["indices"] = inverse;
  return true;
}

}  // namespace

LayerKind take() {
  LayerKind kind;
  kind.name = "take";
  kind.torch = exact({"torch.index_select"});
  kind.torch.push_back({"ChannelShuffle", Status::composed, "keras.ops Take along the channels"});
  kind.keras = exact({"Take", "ops.Take"});
  kind.summary = "Chosen cells of x along an axis, in any order and number.";
  kind.sources = {"https://keras.io/api/ops/numpy/",
                  "https://docs.pytorch.org/docs/stable/generated/torch.take.html"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = need;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      {"shuffle_groups", "the groups' members are shuffled where the groups should be", inverted}};
  kind.cases = {torch_case("2 groups of 3", "ChannelShuffle", {{"groups", 2}}, {2, 6, 4, 5}),
                torch_case("3 groups of 2", "ChannelShuffle", {{"groups", 3}}, {2, 6, 4, 5})};
  return kind;
}

}  // namespace tieout::layers
