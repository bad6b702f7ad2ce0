#include <algorithm>
#include <optional>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/outputs.h"
#include "layers/shared/time_steps.h"
#include "tieout/error.h"

// The same numbers in the same order under other sizes; the batch stays.   x: n a...   ->   y: n r1 r2 ...
//
// Setting "shape": the sizes behind the batch, at most one of them -1. The order is that of the source
// framework.

namespace tieout::layers {

namespace {

// The setting's sizes, with -1 solved where the input's are known.
std::vector<std::int64_t> solved(std::vector<std::int64_t> shape, const Axes& axes) {
  std::int64_t cells = 1;
  for (std::size_t k = 1; k < axes.size(); ++k) {
    if (axes[k].size == unknown) return shape;
    cells *= axes[k].size;
  }
  std::int64_t given = 1;
  for (const std::int64_t size : shape) given *= size == -1 ? 1 : size;
  const auto open = std::ranges::find(shape, -1);
  if (given == 0 || (open == shape.end() ? given != cells : cells % given != 0)) {
    throw malformed("a sample of " + std::to_string(cells) + " numbers cannot have the shape " +
                    to_string(Shape(shape)));
  }
  if (open != shape.end()) *open = cells / given;
  return shape;
}

void check(const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t most = std::int64_t{1} << 31;
  std::int64_t cells = 1;
  for (const std::int64_t size : shape) {
    if (size != -1 && (size < 1 || size > most))
      throw malformed("a shape holds the size " + std::to_string(size));
    if (size > 0 && cells > (std::int64_t{1} << 62) / size) throw malformed("a shape is too large");
    cells *= size == -1 ? 1 : size;
  }
  if (std::ranges::count(shape, -1) > 1) throw malformed("a shape leaves more than one size open");
}

std::vector<std::int64_t> unflattened(const Lifter& lifter) {
  const auto& given = lifter.settings();
  if (!lifter.input().known) {
    lifter.refuse("it depends on the input's shape, which is not known", "give it with --input-shape");
  }
  const Axes& axes = lifter.input().axes;
  if (!given.raw("dim").is_number_integer()) lifter.refuse("its dim is a name", "give dim as a number");
  const std::int64_t dim = checked_axis(given.integer("dim"), static_cast<std::int64_t>(axes.size()));
  if (dim == 0) lifter.refuse("it takes the batch apart", "give it a dim of the sample");
  std::vector<std::int64_t> shape;
  for (std::size_t k = 1; k < axes.size(); ++k) {
    if (static_cast<std::int64_t>(k) != dim) {
      if (axes[k].size == unknown)
        lifter.refuse("it depends on the input's shape, which is not known", "give it with --input-shape");
      shape.push_back(axes[k].size);
      continue;
    }
    std::vector<std::int64_t> parts = given.list("unflattened_size");
    check(parts);
    parts = solved(parts, {{"n", unknown, {}}, axes[k]});
    shape.insert(shape.end(), parts.begin(), parts.end());
  }
  return shape;
}

// The operator's and TensorFlow's shape has the batch in front.
std::vector<std::int64_t> with_batch(Lifter& lifter) {
  CallArguments arguments(lifter);
  arguments.take(0, {"x", "tensor"});
  Json given = arguments.take_or_setting(1, {"newshape", "shape"});
  arguments.finish();
  const bool numbers = given.is_array() && std::ranges::all_of(given, [](const Json& size) {
                         return size.is_number_integer() || size.is_null();
                       });
  if (!numbers || given.empty()) lifter.refuse("its shape is not a list of numbers", "give it as numbers");
  for (auto& size : given) size = size.is_null() ? Json(-1) : size;
  return given.get<std::vector<std::int64_t>>();
}

std::vector<std::int64_t> without_batch(Lifter& lifter, std::vector<std::int64_t> shape) {
  const auto open = std::ranges::count(shape, -1);
  std::int64_t cells = 1;
  for (std::size_t k = 1; k < lifter.input().axes.size(); ++k) {
    const std::int64_t size = lifter.input().axes[k].size;
    cells = size == unknown || cells == unknown ? unknown : cells * size;
  }
  std::int64_t own = 1;
  for (std::size_t k = 1; k < shape.size(); ++k) own *= shape[k];
  if (shape.front() != -1 || open != 1 || own != cells || shape.size() == 1)
    lifter.refuse("its shape " + to_string(Shape(shape)) + " does not keep the samples of the batch apart",
                  "give -1 for the batch and the other sizes as numbers, or use the layer Reshape");
  shape.erase(shape.begin());
  return shape;
}

std::vector<std::int64_t> read_shape(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  if (name == "Unflatten") return unflattened(lifter);
  return lifter.settings().list(lifter.is_torch() ? "shape" : "target_shape");
}

// The places in `long_one` that are left when the sizes of `short_one` are found there in order, if those are
// all 1; the batch is place 0 of both.
std::optional<std::vector<std::int64_t>> ones_between(const std::vector<std::int64_t>& short_one,
                                                      const std::vector<std::int64_t>& long_one) {
  std::vector<std::int64_t> places;
  std::size_t found = 0;
  for (std::size_t k = 0; k < long_one.size(); ++k) {
    if (found < short_one.size() && short_one[found] == long_one[k]) {
      ++found;
    } else if (long_one[k] == 1) {
      places.push_back(static_cast<std::int64_t>(k) + 1);
    } else {
      return std::nullopt;
    }
  }
  if (found != short_one.size() || places.empty()) return std::nullopt;
  return places;
}

void add_reshape(Lifter& lifter, std::vector<std::int64_t> shape) {
  check(shape);
  Layer layer = lifter.layer("reshape");
  layer.settings = {{"shape", shape}};
  if (!lifter.weights_only() && lifter.input().known) {
    shape = solved(shape, lifter.input().axes);
    layer.settings = {{"shape", shape}};
    // Where only axes of one cell come or go the others stay what they are.
    std::vector<std::int64_t> sizes;
    for (std::size_t k = 1; k < lifter.input().axes.size(); ++k) sizes.push_back(lifter.input().axes[k].size);
    const bool known = std::ranges::find(sizes, unknown) == sizes.end();
    if (const auto added = known ? ones_between(sizes, shape) : std::nullopt) {
      layer.kind = "expand_dims";
      layer.settings = {{"places", *added}};
    } else if (const auto left = known ? ones_between(shape, sizes) : std::nullopt) {
      layer.kind = "squeeze";
      layer.settings = {{"axes", *left}};
    }
  }
  lifter.add(std::move(layer));
}

void lift(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  if (name != "ops.Reshape" && name != "tf.reshape") {
    add_reshape(lifter, read_shape(lifter));
    return;
  }
  const auto shape = with_batch(lifter);
  if (!add_steps_of_reshape(lifter, shape)) add_reshape(lifter, without_batch(lifter, shape));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out{inputs[0][0]};
  for (const auto& size : layer.settings["shape"]) {
    const auto cells = size.get<std::int64_t>();
    out.push_back({"r" + std::to_string(out.size()), cells == -1 ? unknown : cells, {}});
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& shape = lowerer.layer().settings["shape"];
  if (lowerer.to_keras()) {
    lowerer.add("Reshape", {{"target_shape", shape}});
  } else if (lowerer.axes().size() == 2) {
    lowerer.add("Unflatten", {{"dim", 1}, {"unflattened_size", shape}});
  } else {
    std::string sizes;
    for (const auto& size : shape) sizes += ", " + size.dump();
    lowerer.add("torch.reshape", {{"shape", shape}}, "{0}.reshape({0}.shape[0]" + sizes + ")");
  }
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = e.take(0);
  Axes axes;
  for (const std::int64_t size : y.shape) axes.push_back({"", size, {}});
  Shape shape{y.shape[0]};
  for (const std::int64_t size : solved(e.integers("shape"), axes)) shape.push_back(size);
  y.shape = shape;
  return one_output(std::move(y));
}

}  // namespace

LayerKind reshape() {
  LayerKind kind;
  kind.name = "reshape";
  kind.torch = exact({"Unflatten", "torch.reshape"});
  kind.keras = exact({"Reshape", "ops.Reshape", "tf.reshape"});
  kind.summary = "The numbers of a sample in the same order under other sizes.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html",
                  "https://keras.io/api/layers/reshaping_layers/reshape/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  const Json four_three = Json::array({4, 3});
  kind.cases = {
      torch_case("of a vector", "Unflatten", {{"dim", 1}, {"unflattened_size", four_three}}, {2, 12}),
      torch_case("of the last axis", "Unflatten", {{"dim", -1}, {"unflattened_size", four_three}},
                 {2, 5, 12}),
      torch_case("of the middle axis", "Unflatten", {{"dim", 1}, {"unflattened_size", four_three}},
                 {2, 12, 5}),
      keras_case("of a vector", "Reshape", {{"target_shape", Json::array({2, 2, 3})}}, {2, 12}),
      keras_case("of an image, one size open", "Reshape", {{"target_shape", Json::array({-1, 3})}},
                 {2, 4, 5, 3}),
      operator_case("of an image", "Reshape", {{"newshape", Json{-1, 20, 3}}}, {{2, 4, 5, 3}}),
      keras_case("new axes of one cell", "Reshape", {{"target_shape", Json{1, 1, 3}}}, {2, 3}),
      keras_case("fewer axes of one cell", "Reshape", {{"target_shape", Json::array({3})}}, {2, 1, 1, 3}),
      keras_case("of a vector to a column", "Reshape", {{"target_shape", Json{-1, 1}}}, {2, 6}),
      keras_case("of one row to a sequence", "Reshape", {{"target_shape", Json{-1, 3}}}, {2, 1, 5, 3}),
      keras_case("of channels to groups", "Reshape", {{"target_shape", Json{4, 5, 2, 3}}}, {2, 4, 5, 6}),
      keras_case("across the channels", "Reshape", {{"target_shape", Json::array({6, 10})}}, {2, 4, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
