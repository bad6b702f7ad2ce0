#include "layers/shared/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "layers/shared/elementwise.h"
#include "layers/shared/padding.h"
#include "layers/shared/spatial.h"
#include "layers/shared/taps.h"
#include "tieout/error.h"

namespace tieout {

namespace {

Sampling sampling_of(const Json& settings) {
  return {settings.at("mode").get<std::string>(), settings.at("align_corners").get<bool>(),
          settings.at("antialias").get<bool>()};
}

std::vector<double> numbers(const Lifter& lifter, const std::string& name, std::size_t rank) {
  const Json& given = lifter.settings().raw(name);
  std::vector<double> values;
  for (std::size_t k = 0; k < rank; ++k) {
    const Json one = given.is_array() && given.size() == rank ? given[k] : given;
    const double value = one.is_number() ? one.get<double>() : 0;
    if (!(value > 0 && value < (1 << 24)))
      throw malformed("the setting " + name + " should be positive numbers, found " +
                      given.dump().substr(0, 60));
    values.push_back(value);
  }
  return values;
}

std::vector<std::int64_t> counts(const Lifter& lifter, const std::string& name, std::size_t rank) {
  std::vector<std::int64_t> whole;
  for (const double value : numbers(lifter, name, rank)) {
    if (value != std::floor(value)) throw malformed("the setting " + name + " should be whole numbers");
    whole.push_back(static_cast<std::int64_t>(value));
  }
  return whole;
}

std::string torch_mode(Lifter& lifter, std::size_t rank) {
  const auto& name = lifter.node().class_name;
  const std::string fallback = name == "UpsamplingBilinear2d" ? "bilinear" : "nearest";
  const std::string mode = lifter.settings().text("mode", fallback);
  static const std::vector<std::string> lines = {"linear", "bilinear", "trilinear"};
  if (mode == "nearest" || mode == "nearest-exact") return mode;
  if (mode == lines.at(rank - 1)) return "linear";
  if (mode == "bicubic" && rank == 2) return lifter.settings().flag("antialias", false) ? "keys" : "cubic";
  lifter.refuse("the mode \"" + mode + "\" is none of " + std::to_string(rank) + " spatial axes",
                "use one that nn.Upsample lists for them");
}

// nn.Upsample and its two short forms, and torch.nn.functional.interpolate.
Json read_torch(Lifter& lifter, std::size_t rank, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  const bool bilinear = lifter.node().class_name == "UpsamplingBilinear2d";
  Json settings = {{"mode", torch_mode(lifter, rank)},
                   {"align_corners", given.flag("align_corners", bilinear)},
                   {"antialias", given.flag("antialias", false)},
                   {"size", nullptr},
                   {"factors", nullptr}};
  if (given.has("size")) {
    settings["size"] = counts(lifter, "size", rank);
    return settings;
  }
  settings["factors"] = numbers(lifter, "scale_factor", rank);
  if (!given.flag("recompute_scale_factor", false)) return settings;
  // A cell is then size / size' wide, as with a size.
  std::vector<std::int64_t> sizes;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t size = lifter.size(0, order[k + 2]);
    if (size == unknown)
      lifter.refuse("recompute_scale_factor depends on the input's size, which is not known",
                    "give it with --input-shape");
    sizes.push_back(resized(settings, k, size).out);
  }
  settings["factors"] = nullptr;
  settings["size"] = sizes;
  return settings;
}

std::string keras_mode(Lifter& lifter, const std::string& fallback) {
  const std::string mode = lifter.settings().text("interpolation", fallback);
  // See the image.resize of Keras' TensorFlow backend: half-pixel centres throughout.
  if (mode == "nearest") return "nearest-exact";
  if (mode == "bilinear") return "linear";
  if (mode == "bicubic") return "keys";
  if (mode == "lanczos3" || mode == "lanczos5") return mode;
  lifter.refuse("the interpolation \"" + mode + "\" is not known", "use bilinear or nearest");
}

// TensorFlow looks the weights of "bicubic" up in a table of 1024 positions between two cells.
void check_table(Lifter& lifter, const std::vector<int>& order, const Json& settings) {
  if (settings["mode"] != "keys" || settings["antialias"].get<bool>()) return;
  for (std::size_t k = 0; k < 2; ++k) {
    const std::int64_t size = lifter.size(0, order[k + 2]);
    const double ratio = settings["factors"].is_null()
                             ? resized(settings, k, size == unknown ? 1 : size).ratio
                             : 1 / settings["factors"][k].get<double>();
    const double step = ratio * 2048;
    if ((size == unknown && settings["factors"].is_null()) || step != std::floor(step))
      lifter.refuse("TensorFlow rounds the weights of bicubic for these sizes to a table of 1024 positions",
                    "use a factor that is a power of two, or antialias=True of Resizing");
  }
}

Json read_upsampling(Lifter& lifter, std::size_t rank, const std::vector<int>& order) {
  Json settings = {{"mode", keras_mode(lifter, "nearest")},
                   {"align_corners", false},
                   {"antialias", false},
                   {"size", nullptr},
                   {"factors", lifter.settings().integers("size", rank, 2)}};
  for (const auto& factor : settings["factors"]) {
    if (factor.get<std::int64_t>() < 1) throw malformed("the size of an upsampling must be positive");
  }
  // By a whole number it is the same, and what people write.
  if (settings["mode"] == "nearest-exact") settings["mode"] = "nearest";
  check_table(lifter, order, settings);
  return settings;
}

void add_cut(Lifter& lifter, const std::vector<int>& order, const Paddings& paddings) {
  if (paddings == Paddings(2)) return;
  Layer cut = lifter.layer("pad2d");
  cut.inputs = lifter.outputs();
  cut.orders = {order};
  cut.settings = zero_padding(to_json(paddings));
  lifter.add(std::move(cut));
}

// The largest window of the wanted proportions in the middle of the input; with `around`, the smallest one
// around it (keras/src/backend/tensorflow/image.py, resize; keras/src/utils/image_utils.py, smart_resize).
Paddings in_proportion(const std::array<std::int64_t, 2>& size, const std::array<std::int64_t, 2>& wanted,
                       bool around) {
  Paddings paddings;
  for (std::size_t k = 0; k < 2; ++k) {
    const std::int64_t fitting = size[1 - k] * wanted[k] / wanted[1 - k];
    const std::int64_t window =
        around ? std::max(size[k], fitting) : std::max<std::int64_t>(std::min(size[k], fitting), 1);
    const std::int64_t more = window - size[k];
    // Keras pads both sides alike, and crops an odd cell at the end.
    paddings.push_back({more / 2, around ? more / 2 : more - more / 2});
  }
  return paddings;
}

std::array<std::int64_t, 2> known_sizes(Lifter& lifter, const std::vector<int>& order) {
  const std::array<std::int64_t, 2> sizes{lifter.size(0, order[2]), lifter.size(0, order[3])};
  if (sizes[0] == unknown || sizes[1] == unknown)
    lifter.refuse("what it crops depends on the input's size, which is not known",
                  "give it with --input-shape");
  return sizes;
}

std::array<std::int64_t, 2> wanted_sizes(const Lifter& lifter) {
  return {counts(lifter, "height", 1)[0], counts(lifter, "width", 1)[0]};
}

Json to_size(const std::array<std::int64_t, 2>& size, const std::string& mode, bool antialias) {
  return {{"mode", mode},
          {"align_corners", false},
          {"antialias", antialias},
          {"size", {size[0], size[1]}},
          {"factors", nullptr}};
}

Json read_resizing(Lifter& lifter, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  const auto wanted = wanted_sizes(lifter);
  const bool crop = given.flag("crop_to_aspect_ratio", false);
  const bool pad = given.flag("pad_to_aspect_ratio", false);
  if (pad && given.number("fill_value", 0) != 0)
    lifter.refuse("it fills with " + given.raw("fill_value").dump(), "fill with 0");
  if (crop || pad) add_cut(lifter, order, in_proportion(known_sizes(lifter, order), wanted, pad));
  const std::string mode = keras_mode(lifter, "bilinear");
  // TensorFlow does not antialias nearest neighbours.
  Json settings = to_size(wanted, mode, given.flag("antialias", false) && mode != "nearest-exact");
  check_table(lifter, order, settings);
  return settings;
}

// Keras crops where the input is large enough, and otherwise crops to proportion and resizes.
std::optional<Json> read_center_crop(Lifter& lifter, const std::vector<int>& order) {
  const auto size = known_sizes(lifter, order);
  const auto wanted = wanted_sizes(lifter);
  if (size[0] >= wanted[0] && size[1] >= wanted[1]) {
    Paddings crop;
    for (std::size_t k = 0; k < 2; ++k) {
      const std::int64_t low = (size[k] - wanted[k]) / 2;
      crop.push_back({-low, -(size[k] - wanted[k] - low)});
    }
    Layer cut = lifter.layer("pad2d");
    cut.orders = {order};
    cut.settings = zero_padding(to_json(crop));
    lifter.add(std::move(cut));
    return std::nullopt;
  }
  add_cut(lifter, order, in_proportion(size, wanted, false));
  return to_size(wanted, "linear", false);
}

void check_rounding(Lifter& lifter, const std::vector<int>& order, const Json& settings) {
  for (std::size_t k = 0; k + 2 < order.size(); ++k) {
    const std::int64_t size = lifter.size(0, order[k + 2]);
    if (size == unknown) continue;
    const Resized to = resized(settings, k, size);
    if (to.out < 1) throw malformed("the resizing leaves nothing of an axis");
    if (!rounds_alike(sampling_of(settings), size, to.out, to.ratio))
      lifter.refuse("which of " + std::to_string(size) +
                        " cells is nearest depends on rounding when they become " + std::to_string(to.out) +
                        ", and the frameworks round differently",
                    "use another size, or another interpolation");
  }
}

// torch.nn has one class for all ranks.
std::size_t rank_of(Lifter& lifter, std::size_t rank) {
  if (lifter.is_keras() || lifter.weights_only()) return rank;
  if (!lifter.input().known)
    lifter.refuse("it depends on the number of the input's axes, which is not known",
                  "give it with --input-shape");
  const std::size_t axes = lifter.input().axes.size();
  if (axes < 3 || axes > 5) throw malformed("an upsampling takes inputs of 3 to 5 axes");
  return axes - 2;
}

void lift(Lifter& lifter, std::size_t kind_rank) {
  const std::size_t rank = rank_of(lifter, kind_rank);
  const auto order = image_order(lifter, rank);
  const std::string& name = lifter.node().class_name;
  Json settings;
  if (lifter.is_torch()) {
    settings = read_torch(lifter, rank, order);
  } else if (name == "Resizing") {
    settings = read_resizing(lifter, order);
  } else if (name == "CenterCrop") {
    const auto made = read_center_crop(lifter, order);
    if (!made) return;
    settings = *made;
  } else {
    settings = read_upsampling(lifter, rank, order);
  }
  Layer layer = lifter.layer("resample" + std::to_string(rank) + "d");
  layer.inputs = lifter.outputs();
  layer.orders = {order};
  layer.settings = settings;
  check_rounding(lifter, order, settings);
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  for (std::size_t k = 2; k < out.size(); ++k) out[k].size = resized(layer.settings, k - 2, out[k].size).out;
  return {out};
}

std::vector<Array> compute(const Evaluation& e) {
  Array y = *e.inputs[0];
  for (std::size_t k = 2; k < y.rank(); ++k) {
    const std::int64_t size = y.size(k);
    const Resized to = resized(e.layer.settings, k - 2, size);
    if (size < 1 || to.out < 1) throw malformed("the resizing leaves nothing of an axis");
    y = apply_taps(y, k, resampling(sampling_of(e.layer.settings), size, to.out, to.ratio));
  }
  return {y};
}

// Whether another sampling would give other numbers.
bool differs(const Json& one, const Json& other, const std::vector<Axes>& inputs, const Layer& layer) {
  const std::size_t rank = inputs.at(0).size() - 2;
  for (std::size_t k = 0; k < rank; ++k) {
    const auto place = layer.orders[0].empty() ? k + 2 : static_cast<std::size_t>(layer.orders[0][k + 2]);
    const std::int64_t size = inputs[0][place].size;
    if (size == unknown) return false;
    const Resized to = resized(one, k, size);
    const auto a = resampling(sampling_of(one), size, to.out, to.ratio);
    const auto b = resampling(sampling_of(other), size, to.out, to.ratio);
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].size() != b[i].size()) return true;
      for (std::size_t t = 0; t < a[i].size(); ++t) {
        if (a[i][t].from != b[i][t].from || a[i][t].weight != b[i][t].weight) return true;
      }
    }
  }
  return false;
}

bool change(Layer& layer, const std::vector<Axes>& inputs, const std::string& setting, const Json& value) {
  Json wrong = layer.settings;
  wrong[setting] = value;
  if (!differs(layer.settings, wrong, inputs, layer)) return false;
  layer.settings = wrong;
  return true;
}

bool nearest_kind(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const auto mode = layer.settings["mode"].get<std::string>();
  if (!mode.starts_with("nearest")) return false;
  return change(layer, inputs, "mode", mode == "nearest" ? "nearest-exact" : "nearest");
}

bool corners(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const auto mode = layer.settings["mode"].get<std::string>();
  if (mode.starts_with("nearest") || layer.settings["antialias"].get<bool>()) return false;
  return change(layer, inputs, "align_corners", !layer.settings["align_corners"].get<bool>());
}

bool cubic_kind(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const auto mode = layer.settings["mode"].get<std::string>();
  if (mode != "cubic" && mode != "keys") return false;
  return change(layer, inputs, "mode", mode == "cubic" ? "keys" : "cubic");
}

std::vector<Mistake> mistakes(std::size_t rank) {
  std::vector<Mistake> all = {
      {"nearest_kind",
       "one side takes the cell at floor(i n / out) (PyTorch's \"nearest\"), the other the one whose centre "
       "is nearest (Keras; PyTorch's \"nearest-exact\")",
       nearest_kind},
      {"align_corners", "one side lets the corners' centres coincide (align_corners), the other the borders",
       corners}};
  if (rank == 2)
    all.push_back({"cubic_kind", "bicubic means a = -0.75 in PyTorch and a = -0.5 in Keras", cubic_kind});
  return all;
}

}  // namespace

Resized resized(const Json& settings, std::size_t axis, std::int64_t size) {
  if (!settings["size"].is_null()) {
    const auto out = settings["size"][axis].get<std::int64_t>();
    return {out, size == unknown ? 1 : static_cast<double>(size) / static_cast<double>(out)};
  }
  const double factor = settings["factors"][axis].get<double>();
  if (size == unknown) return {unknown, 1 / factor};
  return {static_cast<std::int64_t>(std::floor(static_cast<double>(size) * factor)), 1 / factor};
}

LayerKind resample_kind(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "resample" + digit + "d";
  kind.keras = exact({"UpSampling" + digit + "D"});
  // One class for all ranks: its lift looks at the input.
  if (rank == 2) {
    kind.torch = exact({"Upsample", "UpsamplingNearest2d", "torch.nn.functional.interpolate"});
    kind.torch.push_back({"UpsamplingBilinear2d", Status::composed,
                          "keras.ops Take and Einsum along each axis: no Keras layer aligns the corners"});
    kind.keras.push_back({"Resizing", Status::exact, ""});
    kind.keras.push_back(
        {"CenterCrop", Status::composed, "a cropping, and a resizing where the input is smaller"});
  }
  kind.summary = "More or fewer cells along the spatial axes of x (n c s...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html",
                  "https://keras.io/api/layers/preprocessing_layers/image_preprocessing/resizing/",
                  "https://www.tensorflow.org/api_docs/python/tf/image/resize"};
  kind.lift = [rank](Lifter& lifter) { lift(lifter, rank); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [rank](Lowerer& lowerer) {
    lowerer.to_torch() ? write_torch_resampling(lowerer, rank) : write_keras_resampling(lowerer, rank);
  };
  kind.compute = compute;
  kind.fan_in = [](const Layer&) { return 16.0; };
  kind.mistakes = mistakes(rank);
  kind.cases = resample_cases(rank);
  return kind;
}

}  // namespace tieout
