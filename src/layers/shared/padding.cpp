#include "layers/shared/padding.h"

#include <algorithm>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_pad.h"
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

// torch.nn's class names without "Pad2d".
std::string torch_mode(const std::string& class_name) {
  if (class_name.starts_with("Reflection")) return "reflect";
  if (class_name.starts_with("Replication")) return "replicate";
  return class_name.starts_with("Circular") ? "circular" : "constant";
}

double fill_value(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (lifter.is_torch()) return given.number("value", 0);
  const Json& kwargs = given.raw("kwargs");
  const Json& args = given.raw("args");
  Json value;
  if (kwargs.is_object()) value = kwargs.value("constant_values", Json());
  if (value.is_null() && args.is_array() && args.size() > 1) value = args[1];
  if (!value.is_null() && !value.is_number())
    lifter.refuse("its constant_values are no number", "pad with one number");
  return value.is_null() ? 0 : value.get<double>();
}

// keras.ops Pad names no axes: the channels are where the input has them, otherwise last.
void lift_operation(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (!lifter.input().known)
    lifter.refuse("it depends on the input's shape, which is not known", "give it with --input-shape");
  const Axes& axes = lifter.input().axes;
  const std::size_t rank = axes.size() - 2;
  const Json& widths = given.raw("pad_width");
  if (axes.size() < 3 || axes.size() > 5 || !widths.is_array() || widths.size() != axes.size())
    lifter.refuse("it does not pad a batch of sequences, images or volumes", "pad the spatial axes");
  const auto named = std::ranges::find(axes, "c", &Axis::name);
  const auto channels =
      named == axes.end() ? axes.size() - 1 : static_cast<std::size_t>(named - axes.begin());
  std::vector<int> order{0, static_cast<int>(channels)};
  Paddings paddings;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    if (!widths[k].is_array() || widths[k].size() != 2) throw wrong(widths);
    const Padding padding{cells(widths[k][0], widths), cells(widths[k][1], widths)};
    if (k != 0 && k != channels) {
      order.push_back(static_cast<int>(k));
      paddings.push_back(padding);
    } else if (padding != Padding{}) {
      lifter.refuse("it pads the batch or the channels", "pad the spatial axes, or concatenate zeros");
    }
  }
  std::string mode = given.text("mode", "constant");
  const bool narrow =
      std::ranges::all_of(paddings, [](const Padding& p) { return p.low <= 1 && p.high <= 1; });
  if (mode == "symmetric" && narrow) mode = "replicate";
  if (mode != "constant" && mode != "reflect" && mode != "symmetric" && mode != "replicate")
    lifter.refuse("the padding mode \"" + mode + "\" is not known", "use constant, reflect or symmetric");
  lifter.roles(0, image_names(rank), order);
  Layer layer = lifter.layer("pad" + std::to_string(rank) + "d");
  layer.orders = {order};
  layer.settings = {{"padding", to_json(paddings)},
                    {"mode", mode},
                    {"value", mode == "constant" ? fill_value(lifter) : 0.0}};
  lifter.add(std::move(layer));
}

void lift(Lifter& lifter, std::size_t rank) {
  const auto& given = lifter.settings();
  const std::string& name = lifter.node().class_name;
  if (name == "Pad") {
    lift_operation(lifter);
    return;
  }
  Layer layer = lifter.layer("pad" + std::to_string(rank) + "d");
  Paddings paddings;
  layer.settings = zero_padding({});
  if (lifter.is_torch()) {
    paddings = read_torch(given.raw("padding"), rank);
    layer.settings["mode"] = torch_mode(name);
    if (torch_mode(name) == "constant") layer.settings["value"] = fill_value(lifter);
    const bool crops =
        std::ranges::any_of(paddings, [](const Padding& p) { return p.low < 0 || p.high < 0; });
    if (crops && torch_mode(name) != "constant")
      lifter.refuse("its padding is negative",
                    "crop in a layer of its own, nn.ZeroPad with negative numbers");
  } else if (name.starts_with("Cropping")) {
    paddings = read_keras(given.has("cropping") ? given.raw("cropping") : Json(rank == 1 ? 1 : 0), rank);
    for (auto& padding : paddings) padding = {-padding.low, -padding.high};
  } else {
    paddings = read_keras(given.has("padding") ? given.raw("padding") : Json(1), rank);
  }
  layer.orders = {image_order(lifter, rank)};
  layer.settings["padding"] = to_json(paddings);
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

std::string torch_class(const std::string& mode, double value) {
  if (mode == "reflect") return "ReflectionPad";
  if (mode == "replicate") return "ReplicationPad";
  if (mode == "circular") return "CircularPad";
  return value == 0 ? "ZeroPad" : "ConstantPad";
}

// nn.Module for all modes but Keras' symmetric one, which shows constant cells of each axis.
void write_torch(Lowerer& lowerer) {
  const Json& given = lowerer.layer().settings;
  const auto paddings = paddings_from(given);
  const auto mode = given["mode"].get<std::string>();
  if (mode == "symmetric") {
    lowerer.refuse("PyTorch has no symmetric padding wider than one cell",
                   "use mode=\"reflect\", or nest paddings of one cell");
  }
  // torch lists the last axis first: (left, right, top, bottom).
  Json list = Json::array();
  for (std::size_t k = paddings.size(); k-- > 0;) {
    list.push_back(paddings[k].low);
    list.push_back(paddings[k].high);
  }
  const double value = given["value"].get<double>();
  Json settings = {{"padding", list}};
  if (value != 0) settings["value"] = value;
  lowerer.add(torch_class(mode, value) + std::to_string(paddings.size()) + "d", settings);
}

bool replicated(Layer& layer, Framework, const std::vector<Axes>&) {
  const auto mode = layer.settings["mode"].get<std::string>();
  if (mode != "reflect" && mode != "symmetric" && mode != "replicate") return false;
  if (paddings_from(layer.settings) == Paddings(layer.settings["padding"].size())) return false;
  layer.settings["mode"] = mode == "replicate" ? "reflect" : "replicate";
  return true;
}

bool zeros_instead(Layer& layer, Framework, const std::vector<Axes>&) {
  if (layer.settings["mode"] == "constant" && layer.settings["value"].get<double>() == 0) return false;
  layer.settings["mode"] = "constant";
  layer.settings["value"] = 0.0;
  return true;
}

}  // namespace

Json zero_padding(const Json& padding) {
  return {{"padding", padding}, {"mode", "constant"}, {"value", 0.0}};
}

LayerKind pad_kind(std::size_t rank) {
  const std::string end = "Pad" + std::to_string(rank) + "d";
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "pad" + digit + "d";
  kind.torch = exact({"Zero" + end});
  kind.torch.push_back({"Constant" + end, Status::exact, ""});
  kind.torch.push_back({"Reflection" + end, Status::composed, "keras.ops Pad"});
  kind.torch.push_back(
      {"Replication" + end, Status::composed, "keras.ops Pad (one cell), or keras.ops Take along each axis"});
  kind.torch.push_back({"Circular" + end, Status::composed, "keras.ops Take along each axis"});
  kind.keras = exact({"ZeroPadding" + digit + "D", "Cropping" + digit + "D"});
  // The operation is one for all ranks: its lift looks at the input.
  if (rank == 2) {
    kind.keras.push_back({"Pad", Status::exact, ""});
    kind.keras.push_back({"ops.Pad", Status::exact, ""});
  }
  kind.summary =
      "Puts cells around x (n c s...): zeros or another constant, or its own; negative numbers crop.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#padding-layers",
                  "https://keras.io/api/layers/reshaping_layers/", "https://keras.io/api/ops/numpy/"};
  kind.lift = [rank](Lifter& lifter) { lift(lifter, rank); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [](Lowerer& lowerer) {
    const Json& given = lowerer.layer().settings;
    if (lowerer.to_torch()) {
      write_torch(lowerer);
    } else {
      add_keras_padding(lowerer, paddings_from(given), given["mode"].get<std::string>(),
                        given["value"].get<double>(), {});
    }
  };
  kind.compute = [](const Evaluation& e) {
    return std::vector<Array>{pad_spatial(*e.inputs[0], paddings_from(e.layer.settings),
                                          e.layer.settings["mode"].get<std::string>(), e.number("value"))};
  };
  kind.compute_fast = [](const Evaluation& e) -> std::optional<std::vector<Array>> {
    const auto& orders = e.layer.orders;
    if (orders.empty() || orders[0].empty() || e.layer.output_order != orders[0]) return std::nullopt;
    return std::vector<Array>{pad_along(*e.inputs[0], orders[0], paddings_from(e.layer.settings),
                                        e.layer.settings["mode"].get<std::string>(), e.number("value"))};
  };
  kind.mistakes = {
      {"sides", "the paddings before and behind the image are swapped", sides_swapped},
      {"border", "one side mirrors the image without its border, the other repeats the border", replicated},
      {"padded_zeros", "one side pads with zeros, the other with something else", zeros_instead}};
  kind.cases = pad_cases(rank);
  return kind;
}

}  // namespace tieout
