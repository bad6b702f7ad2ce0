#include "layers/shared/unfold.h"

#include <algorithm>
#include <tuple>

#include "layers/shared/elementwise.h"
#include "layers/shared/spatial.h"
#include "layers/shared/taps.h"
#include "tieout/error.h"

namespace tieout {

namespace {

using Sizes = std::vector<std::int64_t>;

Sizes numbers(const Layer& layer, const std::string& name) {
  return layer.settings.at(name).get<Sizes>();
}

void lift(Lifter& lifter, Unfolding direction) {
  const bool folds = direction == Unfolding::fold;
  const auto& given = lifter.settings();
  Layer layer = lifter.layer(folds ? "fold" : "unfold");
  layer.settings = {{"kernel", given.integers("kernel_size", 2)},
                    {"strides", given.integers("stride", 2, 1)},
                    {"dilation", given.integers("dilation", 2, 1)},
                    {"padding", given.integers("padding", 2, 0)}};
  for (const char* const name : {"kernel", "strides", "dilation"}) {
    for (const std::int64_t value : numbers(layer, name)) {
      if (value < 1 || value > (1 << 16)) throw malformed("window sizes and strides must be positive");
    }
  }
  for (const std::int64_t value : numbers(layer, "padding")) {
    if (value < 0 || value > (1 << 16)) throw malformed("the padding must not be negative");
  }
  if (folds) {
    layer.settings["size"] = given.integers("output_size", 2);
    lifter.roles(0, {"n", "r1", "r2"});
  } else {
    // Keras' operation, too, takes the channels first.
    lifter.roles(0, image_names(2));
    layer.orders = {{0, 1, 2, 3}};
  }
  lifter.add(std::move(layer));
}

std::int64_t windows(const Layer& layer, std::size_t axis, std::int64_t size) {
  const std::int64_t padding = numbers(layer, "padding")[axis];
  return window_count(size, {padding, padding}, numbers(layer, "kernel")[axis],
                      numbers(layer, "strides")[axis], numbers(layer, "dilation")[axis]);
}

// The columns' axes are named as a reshape behind the layer would name them: that is how Keras says it.
std::vector<Axes> infer_unfold(const Layer& layer, const std::vector<Axes>& inputs) {
  const Axes& x = inputs[0];
  const auto kernel = numbers(layer, "kernel");
  const std::int64_t rows = windows(layer, 0, x[2].size);
  const std::int64_t columns = windows(layer, 1, x[3].size);
  const std::int64_t cells = x[1].size == unknown ? unknown : x[1].size * kernel[0] * kernel[1];
  return {{x[0],
           {"r1", cells, {}},
           {"r2", rows == unknown || columns == unknown ? unknown : rows * columns, {}}}};
}

std::vector<Axes> infer_fold(const Layer& layer, const std::vector<Axes>& inputs) {
  const auto kernel = numbers(layer, "kernel");
  const auto size = numbers(layer, "size");
  const Axes& x = inputs[0];
  const std::int64_t cells = kernel[0] * kernel[1];
  if (x[1].size != unknown && x[1].size % cells != 0)
    throw malformed("columns of " + std::to_string(x[1].size) + " cells are no windows of " +
                    std::to_string(cells));
  const std::int64_t count = windows(layer, 0, size[0]) * windows(layer, 1, size[1]);
  if (x[2].size != unknown && x[2].size != count)
    throw malformed("there are " + std::to_string(x[2].size) + " columns for " + std::to_string(count) +
                    " windows");
  return {{x[0],
           {"c", x[1].size == unknown ? unknown : x[1].size / cells, {}},
           {"h", size[0], {}},
           {"w", size[1], {}}}};
}

Json as_settings(const Layer& layer) {
  Json settings = {{"kernel_size", layer.settings["kernel"]}};
  for (const auto& [ours, theirs, usual] :
       {std::tuple{"dilation", "dilation", 1}, {"padding", "padding", 0}, {"strides", "stride", 1}}) {
    if (layer.settings[ours] != Json::array({usual, usual})) settings[theirs] = layer.settings[ours];
  }
  return settings;
}

// The cells of all windows along an axis, one row a window.
Json cells_along(const Layer& layer, std::size_t axis, std::int64_t size) {
  const std::int64_t count = window_count(size, {}, numbers(layer, "kernel")[axis],
                                          numbers(layer, "strides")[axis], numbers(layer, "dilation")[axis]);
  Json all = Json::array();
  for (std::int64_t at = 0; at < count; ++at) {
    Json row = Json::array();
    for (std::int64_t k = 0; k < numbers(layer, "kernel")[axis]; ++k)
      row.push_back(at * numbers(layer, "strides")[axis] + k * numbers(layer, "dilation")[axis]);
    all.push_back(row);
  }
  return all;
}

// n h w c -> n h' kh w' kw c -> n c kh kw h' w' -> n (c kh kw) (h' w'). Keras' own Unfold cannot be called
// with a batch of unknown size.
void write_keras_unfold(Lowerer& lowerer) {
  const Layer& layer = lowerer.layer();
  const auto padding = numbers(layer, "padding");
  if (padding != Sizes{0, 0})
    add_zero_padding(lowerer, {{padding[0], padding[0]}, {padding[1], padding[1]}}, "pad");
  const Axes x = lowerer.axes();
  if (x[1].size == unknown || x[2].size == unknown || x[3].size == unknown)
    lowerer.refuse("its windows depend on the input's size, which is not known",
                   "give it with --input-shape");
  const Json rows = cells_along(layer, 0, x[1].size);
  const Json columns = cells_along(layer, 1, x[2].size);
  add_keras_take(lowerer, 1, rows, "rows");
  add_keras_take(lowerer, 3, columns, "columns");
  lowerer.add("Permute", {{"dims", {5, 2, 4, 1, 3}}}, {}, "permute");
  const auto kernel = numbers(layer, "kernel");
  lowerer.add("Reshape",
              {{"target_shape", {x[3].size * kernel[0] * kernel[1], rows.size() * columns.size()}}});
}

void lower(Lowerer& lowerer, Unfolding direction) {
  Json settings = as_settings(lowerer.layer());
  if (direction == Unfolding::fold) settings["output_size"] = lowerer.layer().settings["size"];
  if (lowerer.to_torch()) {
    lowerer.add(direction == Unfolding::fold ? "Fold" : "Unfold", settings);
  } else if (direction == Unfolding::unfold) {
    write_keras_unfold(lowerer);
  } else {
    FrameworkNode node;
    node.class_name = "Fold";
    node.module = "keras.src.ops.nn";
    node.settings = settings;
    lowerer.add_node(std::move(node));
  }
}

// Calls `see` with the place of each cell of the columns and that of the image's cell it is; -1: padding.
template <typename See>
void each_cell(const Layer& layer, std::int64_t images, std::int64_t height, std::int64_t width, See see) {
  const auto kernel = numbers(layer, "kernel");
  const auto strides = numbers(layer, "strides");
  const auto dilation = numbers(layer, "dilation");
  const auto padding = numbers(layer, "padding");
  const std::int64_t rows = windows(layer, 0, height);
  const std::int64_t columns = windows(layer, 1, width);
  std::int64_t at = 0;
  for (std::int64_t image = 0; image < images; ++image) {
    for (std::int64_t cell = 0; cell < kernel[0] * kernel[1]; ++cell) {
      for (std::int64_t window = 0; window < rows * columns; ++window, ++at) {
        const std::int64_t h = window / columns * strides[0] - padding[0] + cell / kernel[1] * dilation[0];
        const std::int64_t w = window % columns * strides[1] - padding[1] + cell % kernel[1] * dilation[1];
        const bool inside = h >= 0 && h < height && w >= 0 && w < width;
        see(static_cast<std::size_t>(at), inside ? (image * height + h) * width + w : std::int64_t{-1});
      }
    }
  }
}

std::vector<Array> compute_unfold(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto kernel = e.integers("kernel");
  Array y({x.size(0), x.size(1) * kernel[0] * kernel[1],
           windows(e.layer, 0, x.size(2)) * windows(e.layer, 1, x.size(3))});
  each_cell(e.layer, x.size(0) * x.size(1), x.size(2), x.size(3), [&](std::size_t at, std::int64_t from) {
    if (from >= 0) y.data[at] = x.data[static_cast<std::size_t>(from)];
  });
  return {y};
}

std::vector<Array> compute_fold(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const auto kernel = e.integers("kernel");
  const auto size = e.integers("size");
  const std::int64_t count = windows(e.layer, 0, size[0]) * windows(e.layer, 1, size[1]);
  if (x.size(1) % (kernel[0] * kernel[1]) != 0 || x.size(2) != count)
    throw malformed("the columns are not those of such windows");
  Array y({x.size(0), x.size(1) / (kernel[0] * kernel[1]), size[0], size[1]});
  each_cell(e.layer, y.size(0) * y.size(1), size[0], size[1], [&](std::size_t at, std::int64_t into) {
    if (into >= 0) y.data[static_cast<std::size_t>(into)] += x.data[at];
  });
  return {y};
}

std::vector<Case> cases(Unfolding direction) {
  const Json odd = {{"kernel_size", {2, 3}}, {"dilation", {2, 1}}, {"padding", {1, 2}}, {"stride", {1, 2}}};
  if (direction == Unfolding::unfold)
    return {torch_case("window 2", "Unfold", {{"kernel_size", 2}}, {2, 3, 4, 5}),
            torch_case("no overlap", "Unfold", {{"kernel_size", 2}, {"stride", 2}}, {2, 3, 4, 6}),
            torch_case("everything", "Unfold", odd, {2, 3, 5, 4})};
  Json everything = odd;
  everything["output_size"] = {5, 4};
  return {torch_case("window 2", "Fold", {{"output_size", {4, 5}}, {"kernel_size", 2}}, {2, 12, 12}),
          torch_case("no overlap", "Fold", {{"output_size", {4, 6}}, {"kernel_size", 2}, {"stride", 2}},
                     {2, 12, 6}),
          torch_case("everything", "Fold", everything, {2, 18, 15})};
}

}  // namespace

LayerKind unfolding_kind(Unfolding direction) {
  const bool folds = direction == Unfolding::fold;
  LayerKind kind;
  kind.name = folds ? "fold" : "unfold";
  if (folds) {
    kind.torch = exact({"Fold"});
    kind.keras = exact({"Fold", "ops.Fold"});
    kind.summary = "Sums columns x (n (c kh kw) (h' w')) into an image y (n c h w).";
    kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  } else {
    kind.torch = {{"Unfold", Status::composed, "keras.ops Take along both axes, Permute and Reshape"}};
    kind.keras = exact({"Unfold", "ops.Unfold"});
    kind.summary = "The windows of an image x (n c h w) as columns y (n (c kh kw) (h' w')).";
    kind.need = [](const Layer&, Framework target) { return image_need(2, target); };
  }
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html",
                  "https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html",
                  "https://keras.io/api/ops/nn/"};
  kind.lift = [=](Lifter& lifter) { lift(lifter, direction); };
  kind.infer = folds ? infer_fold : infer_unfold;
  kind.lower = [=](Lowerer& lowerer) { lower(lowerer, direction); };
  kind.compute = folds ? compute_fold : compute_unfold;
  if (folds) {
    kind.fan_in = [](const Layer& layer) {
      const auto kernel = numbers(layer, "kernel");
      return static_cast<double>(kernel[0] * kernel[1]);
    };
  }
  kind.cases = cases(direction);
  return kind;
}

}  // namespace tieout
