#include "layers/shared/zero_pad.h"

#include <algorithm>

#include "layers/shared/elementwise.h"
#include "layers/shared/pad.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

namespace tieout {

namespace {

Error wrong(const Json& found) {
  return malformed("the padding is not one of the forms that the layer takes: " + found.dump().substr(0, 60));
}

std::int64_t cells(const Json& number, const Json& whole) {
  constexpr std::int64_t most = 1 << 24;
  if (!number.is_number_integer()) throw wrong(whole);
  const auto value = number.get<std::int64_t>();
  if (value < -most || value > most) throw wrong(whole);
  return value;
}

// torch lists the last axis first: (left, right, top, bottom).
Paddings read_torch(const Json& given, std::size_t rank) {
  Paddings paddings(rank);
  if (given.is_number()) {
    std::ranges::fill(paddings, Padding{cells(given, given), cells(given, given)});
    return paddings;
  }
  if (!given.is_array() || given.size() != 2 * rank) throw wrong(given);
  for (std::size_t k = 0; k < rank; ++k) {
    paddings[rank - 1 - k] = {cells(given[2 * k], given), cells(given[2 * k + 1], given)};
  }
  return paddings;
}

// Keras: n, or for each axis n or (low, high); with one axis (low, high) alone.
Paddings read_keras(const Json& given, std::size_t rank) {
  Paddings paddings(rank);
  if (given.is_number()) {
    std::ranges::fill(paddings, Padding{cells(given, given), cells(given, given)});
    return paddings;
  }
  const Json list = rank == 1 && given.is_array() && given.size() == 2 && given[0].is_number()
                        ? Json::array({given})
                        : given;
  if (!list.is_array() || list.size() != rank) throw wrong(given);
  for (std::size_t k = 0; k < rank; ++k) {
    if (list[k].is_array() && list[k].size() == 2) {
      paddings[k] = {cells(list[k][0], given), cells(list[k][1], given)};
    } else {
      paddings[k] = {cells(list[k], given), cells(list[k], given)};
    }
  }
  return paddings;
}

void lift(Lifter& lifter, std::size_t rank) {
  const auto& given = lifter.settings();
  Layer layer = lifter.layer("zero_pad" + std::to_string(rank) + "d");
  Paddings paddings;
  if (lifter.is_torch()) {
    if (given.number("value", 0) != 0) {
      lifter.refuse("it pads with " + given.raw("value").dump() + ", Keras' layers pad with 0 only",
                    "pad with 0");
    }
    paddings = read_torch(given.raw("padding"), rank);
  } else if (lifter.node().class_name.starts_with("Cropping")) {
    paddings = read_keras(given.has("cropping") ? given.raw("cropping") : Json(rank == 1 ? 1 : 0), rank);
    for (auto& padding : paddings) padding = {-padding.low, -padding.high};
  } else {
    paddings = read_keras(given.has("padding") ? given.raw("padding") : Json(1), rank);
  }
  layer.orders = {image_order(lifter, rank)};
  layer.settings = {{"padding", to_json(paddings)}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const auto paddings = paddings_from(layer.settings);
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    auto& size = out[k + 2].size;
    if (size == unknown) continue;
    size += paddings[k].low + paddings[k].high;
    if (size <= 0) throw malformed("the cropping leaves nothing of an axis");
  }
  return {out};
}

bool sides_swapped(Layer& layer, Framework, const std::vector<Axes>&) {
  auto paddings = paddings_from(layer.settings);
  const auto before = paddings;
  for (auto& padding : paddings) std::swap(padding.low, padding.high);
  layer.settings["padding"] = to_json(paddings);
  return paddings != before;
}

std::vector<Case> cases(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  Json torch_sides = {1, 2, 3, 0, 2, 1};
  torch_sides.get_ref<Json::array_t&>().resize(2 * rank);
  Json torch_crop = {-1, 2, 1, -2, 0, -1};
  torch_crop.get_ref<Json::array_t&>().resize(2 * rank);
  Json keras_sides = {{1, 2}, {3, 0}, {0, 1}};
  keras_sides.get_ref<Json::array_t&>().resize(rank);
  if (rank == 1) keras_sides = keras_sides[0];
  Shape channels_first{2, 3, 4, 5, 6};
  channels_first.resize(rank + 2);
  Shape channels_last{2, 4, 5, 6};
  channels_last.resize(rank + 1);
  channels_last.push_back(3);
  return {
      torch_case("the same everywhere", "ZeroPad" + digit + "d", {{"padding", 2}}, channels_first),
      torch_case("each side", "ZeroPad" + digit + "d", {{"padding", torch_sides}}, channels_first),
      torch_case("negative sides crop", "ZeroPad" + digit + "d", {{"padding", torch_crop}}, channels_first),
      torch_case("a constant 0", "ConstantPad" + digit + "d", {{"padding", 1}, {"value", 0.0}},
                 channels_first),
      keras_case("default", "ZeroPadding" + digit + "D", Json::object(), channels_last),
      keras_case("each side", "ZeroPadding" + digit + "D", {{"padding", keras_sides}}, channels_last),
      keras_case("cropping", "Cropping" + digit + "D", {{"cropping", 1}}, channels_last)};
}

}  // namespace

LayerKind zero_pad_kind(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "zero_pad" + digit + "d";
  kind.torch = exact({"ZeroPad" + digit + "d", "ConstantPad" + digit + "d"});
  for (const auto* form : {"Reflection", "Replication", "Circular"}) {
    kind.torch.push_back({form + ("Pad" + digit) + "d", Status::refused,
                          "Keras has no layer that pads with the input's own values"});
  }
  kind.keras = exact({"ZeroPadding" + digit + "D", "Cropping" + digit + "D"});
  kind.summary = "Puts zeros around x (n c s...); negative numbers crop.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#padding-layers",
                  "https://keras.io/api/layers/reshaping_layers/"};
  kind.lift = [rank](Lifter& lifter) { lift(lifter, rank); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [](Lowerer& lowerer) {
    add_zero_padding(lowerer, paddings_from(lowerer.layer().settings), {});
  };
  kind.compute = [](const Evaluation& e) {
    return std::vector<Array>{pad_spatial(*e.inputs[0], paddings_from(e.layer.settings), "zeros", 0)};
  };
  kind.mistakes = {{"sides", "the paddings before and behind the image are swapped", sides_swapped}};
  kind.cases = cases(rank);
  return kind;
}

}  // namespace tieout
