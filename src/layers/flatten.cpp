#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/outputs.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

// Joins all axes but the batch into one, the last axis fastest.   x: n a b ...   ->   y: n (a b ...)
//
// PyTorch flattens an image as (c h w), Keras as (h w c): the value's axis remembers its parts, so that the
// layer behind it can have its kernel's rows reordered. Keras moves channels last before flattening even with
// data_format="channels_first" (seen in Keras 2 and 3).

namespace tieout::layers {

namespace {

// The sizes behind the batch where only the axes from start_dim to end_dim are joined.
std::vector<std::int64_t> flattened(const Lifter& lifter) {
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's shape, which is not known", "give it with --input-shape");
  const Axes& axes = lifter.input().axes;
  const auto rank = static_cast<std::int64_t>(axes.size());
  const std::int64_t first = checked_axis(lifter.settings().integer("start_dim", 1), rank);
  const std::int64_t last = checked_axis(lifter.settings().integer("end_dim", -1), rank);
  if (first == 0) lifter.refuse("it joins the batch with other axes", "give it a start_dim of 1 or more");
  if (last < first) throw malformed("its end_dim stands before its start_dim");
  std::vector<std::int64_t> shape;
  for (std::int64_t k = 1; k < rank; ++k) {
    const std::int64_t size = axes[static_cast<std::size_t>(k)].size;
    if (k <= first || k > last) {
      shape.push_back(size == unknown ? -1 : size);
    } else {
      shape.back() = size == unknown || shape.back() == -1 ? -1 : shape.back() * size;
    }
  }
  if (std::ranges::count(shape, -1) > 1)
    lifter.refuse("several of its sizes are not known", "give them with --input-shape");
  return shape;
}

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  Layer layer = lifter.layer("flatten");
  if (lifter.is_torch()) {
    if (given.integer("start_dim", 1) != 1 || given.integer("end_dim", -1) != -1) {
      layer.kind = "reshape";
      layer.settings = {{"shape", flattened(lifter)}};
    }
  } else if (given.text("data_format", "channels_last") == "channels_first" && !lifter.weights_only() &&
             lifter.input().axes.size() > 2) {
    // The canonical order of this layer is the one in which it flattens: n s... c.
    std::vector<int> order{0};
    for (std::size_t k = 2; k < lifter.input().axes.size(); ++k) order.push_back(static_cast<int>(k));
    order.push_back(1);
    layer.orders = {order};
    if (order.size() <= 5) lifter.roles(0, image_names(order.size() - 2));
  }
  lifter.add(std::move(layer));
}

// Parts of size 1 do not matter to the order, and one part alone is no flattened axis.
Axis joined(const Axes& axes) {
  Axis flat{"f", 1, {}};
  for (std::size_t k = 1; k < axes.size(); ++k) {
    flat.size = flat.size == unknown || axes[k].size == unknown ? unknown : flat.size * axes[k].size;
    const auto& parts = axes[k].parts.empty() ? std::vector<Axis>{axes[k]} : axes[k].parts;
    for (const auto& part : parts) {
      if (part.size != 1) flat.parts.push_back(part);
    }
  }
  if (flat.parts.size() == 1) flat.parts.clear();
  return flat;
}

std::vector<Axes> infer(const Layer&, const std::vector<Axes>& inputs) {
  if (inputs[0].size() == 2) return {inputs[0]};
  return {{inputs[0][0], joined(inputs[0])}};
}

void lower(Lowerer& lowerer) {
  lowerer.add("Flatten", Json::object());
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = e.take(0);
  std::int64_t features = 1;
  for (std::size_t k = 1; k < y.rank(); ++k) features *= y.shape[k];
  y.shape = {y.shape[0], features};
  return one_output(std::move(y));
}

}  // namespace

LayerKind flatten() {
  LayerKind kind;
  kind.name = "flatten";
  kind.torch = {{"Flatten", Status::exact, ""}};
  kind.keras = {{"Flatten", Status::exact, ""}};
  kind.summary = "Joins all axes of x (n a b ...) but the batch into one, the last fastest: y (n (a b ...)).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html",
                  "https://keras.io/api/layers/reshaping_layers/flatten/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  kind.absorbs_flatten = true;
  kind.cases = {torch_case("image", "Flatten", Json::object(), {2, 3, 4, 5}),
                torch_case("sequence", "Flatten", Json::object(), {2, 3, 4}),
                torch_case("flat already", "Flatten", Json::object(), {2, 5}),
                torch_case("rows and columns", "Flatten", {{"start_dim", 2}}, {2, 3, 4, 5}),
                torch_case("channels and rows", "Flatten", {{"end_dim", 2}}, {2, 3, 4, 5}),
                keras_case("image", "Flatten", Json::object(), {2, 4, 5, 3}),
                keras_case("channels first", "Flatten", {{"data_format", "channels_first"}}, {2, 3, 4, 5}),
                keras_case("flat already", "Flatten", Json::object(), {2, 5})};
  return kind;
}

}  // namespace tieout::layers
