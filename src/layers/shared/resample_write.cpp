#include <algorithm>
#include <cmath>

#include "layers/shared/resample.h"
#include "layers/shared/taps.h"

namespace tieout {

namespace {

bool whole(const Json& factors) {
  return factors.is_array() && std::ranges::all_of(factors, [](const Json& factor) {
           return factor.get<double>() == std::floor(factor.get<double>());
         });
}

Json as_integers(const Json& factors) {
  Json list = Json::array();
  for (const auto& factor : factors) list.push_back(static_cast<std::int64_t>(factor.get<double>()));
  return list;
}

// The source's sizes of the spatial axes.
std::vector<std::int64_t> sizes_of(const Lowerer& lowerer, std::size_t rank) {
  std::vector<std::int64_t> sizes;
  for (std::size_t k = 0; k < rank; ++k) {
    const auto place = static_cast<std::size_t>(lowerer.layer().orders.at(0).at(k + 2));
    sizes.push_back(lowerer.source_axes().at(place).size);
  }
  return sizes;
}

// Keras and PyTorch call the sampling of two axes by these names; empty: not at all.
std::string keras_name(const std::string& mode) {
  if (mode == "nearest-exact") return "nearest";
  if (mode == "linear") return "bilinear";
  if (mode == "keys") return "bicubic";
  return mode.starts_with("lanczos") ? mode : "";
}

std::string torch_name(const std::string& mode, std::size_t rank) {
  if (mode.starts_with("nearest")) return mode;
  static const std::vector<std::string> lines = {"linear", "bilinear", "trilinear"};
  if (mode == "linear") return lines.at(rank - 1);
  return mode == "cubic" || mode == "keys" ? "bicubic" : "";
}

void write_taps(Lowerer& lowerer, std::size_t rank) {
  const Json& given = lowerer.layer().settings;
  const auto sizes = sizes_of(lowerer, rank);
  std::vector<std::size_t> changed;
  for (std::size_t k = 0; k < rank; ++k) {
    if (sizes[k] == unknown)
      lowerer.refuse("this resampling depends on the input's size, which is not known",
                     "give it with --input-shape");
    if (resized(given, k, sizes[k]).out != sizes[k] || resized(given, k, sizes[k]).ratio != 1)
      changed.push_back(k);
  }
  if (changed.empty()) changed.push_back(0);
  const Sampling sampling{given["mode"].get<std::string>(), given["align_corners"].get<bool>(),
                          given["antialias"].get<bool>()};
  const std::vector<std::string> helpers = rank == 1   ? std::vector<std::string>{"l"}
                                           : rank == 2 ? std::vector<std::string>{"h", "w"}
                                                       : std::vector<std::string>{"d", "h", "w"};
  for (const std::size_t k : changed) {
    const Resized to = resized(given, k, sizes[k]);
    // The last one keeps the layer's name.
    add_keras_taps(lowerer, k + 1, resampling(sampling, sizes[k], to.out, to.ratio),
                   k == changed.back() ? "" : helpers[k]);
  }
}

}  // namespace

void write_keras_resampling(Lowerer& lowerer, std::size_t rank) {
  const Json& given = lowerer.layer().settings;
  const auto mode = given["mode"].get<std::string>();
  const bool aligned = given["align_corners"].get<bool>();
  const bool antialias = given["antialias"].get<bool>();
  const std::string digit = std::to_string(rank);
  if (mode.starts_with("nearest") && whole(given["factors"])) {
    const Json factors = as_integers(given["factors"]);
    lowerer.add("UpSampling" + digit + "D", {{"size", rank == 1 ? factors[0] : factors}});
    return;
  }
  const std::string name = keras_name(mode);
  if (rank != 2 || aligned || name.empty()) {
    write_taps(lowerer, rank);
    return;
  }
  if (whole(given["factors"]) && !antialias) {
    lowerer.add("UpSampling2D", {{"size", as_integers(given["factors"])}, {"interpolation", name}});
    return;
  }
  const auto sizes = sizes_of(lowerer, rank);
  for (std::size_t k = 0; k < rank; ++k) {
    // Another width of the cells than their number says.
    if (given["size"].is_null() &&
        (sizes[k] == unknown || static_cast<double>(resized(given, k, sizes[k]).out) !=
                                    static_cast<double>(sizes[k]) * given["factors"][k].get<double>())) {
      write_taps(lowerer, rank);
      return;
    }
  }
  Json settings = {{"height", resized(given, 0, sizes[0]).out},
                   {"width", resized(given, 1, sizes[1]).out},
                   {"interpolation", name}};
  if (antialias) settings["antialias"] = true;
  lowerer.add("Resizing", settings);
}

void write_torch_resampling(Lowerer& lowerer, std::size_t rank) {
  const Json& given = lowerer.layer().settings;
  const auto mode = given["mode"].get<std::string>();
  const std::string name = torch_name(mode, rank);
  bool antialias = given["antialias"].get<bool>();
  if (mode == "keys" && !antialias) {
    // PyTorch has a = -0.5 only with antialias, which changes nothing where no axis loses cells.
    const auto sizes = sizes_of(lowerer, rank);
    for (std::size_t k = 0; k < rank; ++k) {
      if (!given["size"].is_null() && (sizes[k] == unknown || resized(given, k, sizes[k]).ratio > 1))
        lowerer.refuse("bicubic to fewer cells without antialias is another function in PyTorch (a = -0.75)",
                       "use antialias=True, or bilinear");
    }
    antialias = true;
  }
  if (name.empty())
    lowerer.refuse("PyTorch has no interpolation " + mode, "use bilinear, or bicubic with antialias=True");
  Json settings =
      given["size"].is_null()
          ? Json{{"scale_factor", whole(given["factors"]) ? as_integers(given["factors"]) : given["factors"]}}
          : Json{{"size", given["size"]}};
  if (mode != "nearest") settings["mode"] = name;
  if (given["align_corners"].get<bool>()) settings["align_corners"] = true;
  if (!antialias) {
    lowerer.add("Upsample", settings);
    return;
  }
  settings["antialias"] = true;
  const bool by_factor = settings.contains("scale_factor");
  std::string list;
  for (const auto& one : settings[by_factor ? "scale_factor" : "size"])
    list += (list.empty() ? "" : ", ") + one.dump();
  lowerer.add("torch.nn.functional.interpolate", settings,
              std::string("F.interpolate({0}, ") + (by_factor ? "scale_factor=(" : "size=(") + list +
                  "), mode=\"" + name + "\", antialias=True)");
}

}  // namespace tieout
