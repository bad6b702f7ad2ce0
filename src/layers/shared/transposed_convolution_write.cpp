#include <algorithm>

#include "layers/shared/convolution_settings.h"
#include "layers/shared/transposed_convolution.h"

namespace tieout {

namespace {

struct Transposed {
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilation;
  Paddings cut;
};

Transposed read(const Layer& layer) {
  return {numbers_of(layer, "kernel"), numbers_of(layer, "strides"), numbers_of(layer, "dilation"),
          paddings_from(layer.settings)};
}

// Keras' words for all axes at once, so that nothing needs to be cut afterwards; nothing where there are
// none.
std::optional<Json> direct(const Transposed& t, bool same, bool with_output_padding) {
  Json extra = Json::array();
  for (std::size_t k = 0; k < t.kernel.size(); ++k) {
    KerasTransposed axis{same, std::nullopt};
    if (with_output_padding) {
      const std::int64_t reach = (t.kernel[k] - 1) * t.dilation[k] + 1;
      const std::int64_t kept = same ? reach - reach % 2 : 0;
      axis.output_padding = kept - t.cut[k].low - t.cut[k].high;
      const bool is_empty = same && reach % 2 == 0 && *axis.output_padding == 0;
      if (*axis.output_padding < 0 || *axis.output_padding >= t.strides[k] || is_empty) return std::nullopt;
      extra.push_back(*axis.output_padding);
    }
    if (cells_cut(axis, t.kernel[k], t.strides[k], t.dilation[k]) != t.cut[k]) return std::nullopt;
  }
  Json words = {{"padding", same ? "same" : "valid"}};
  if (with_output_padding) words["output_padding"] = extra;
  return words;
}

}  // namespace

// PyTorch cuts `padding` on both sides and adds `output_padding` at the end; what Keras cuts at the end
// alone, a negative padding takes away.
void lower_transposed_to_torch(Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const Transposed t = read(layer);
  const std::int64_t channels = layer.parameters.at(0).sizes.at("i");
  Json settings = {
      {"in_channels", channels}, {"out_channels", layer.settings["filters"]}, {"kernel_size", t.kernel}};
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> extra;
  Paddings rest;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t more = t.cut[k].low - t.cut[k].high;
    padding.push_back(t.cut[k].low);
    extra.push_back(std::max<std::int64_t>(more, 0));
    rest.push_back({0, std::min<std::int64_t>(more, 0)});
  }
  const std::vector<std::int64_t> zeros(rank, 0);
  if (!is_all_one(t.strides)) settings["stride"] = t.strides;
  if (padding != zeros) settings["padding"] = padding;
  if (extra != zeros) settings["output_padding"] = extra;
  if (!lowerer.stores("bias")) settings["bias"] = false;
  if (!is_all_one(t.dilation)) settings["dilation"] = t.dilation;
  lowerer.add("ConvTranspose" + std::to_string(rank) + "d", settings);
  if (rest != Paddings(rank)) add_zero_padding(lowerer, rest, "crop");
}

void lower_transposed_to_keras(Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const Transposed t = read(layer);
  if (!is_all_one(t.dilation)) {
    lowerer.refuse(
        "Keras' transposed convolutions refuse strides and dilation above 1 together, and zeros "
        "between the cells need the input's size, which is not known",
        "give it with --input-shape");
  }
  Json settings = {{"filters", layer.settings["filters"]}, {"kernel_size", t.kernel}, {"strides", t.strides}};
  std::optional<Json> words;
  for (const bool with_output_padding : {false, true}) {
    for (const bool same : {true, false}) {
      if (!words) words = direct(t, same, with_output_padding);
    }
  }
  Paddings rest(rank);
  if (!words) {  // the whole row, and what is too much of it cut by a layer of its own
    words = Json{{"padding", "valid"}, {"output_padding", Json::array()}};
    for (std::size_t k = 0; k < rank; ++k) {
      (*words)["output_padding"].push_back(std::max<std::int64_t>(-t.cut[k].high, 0));
      rest[k] = {-t.cut[k].low, -std::max<std::int64_t>(t.cut[k].high, 0)};
    }
  }
  settings.update(*words);
  settings["use_bias"] = lowerer.stores("bias");
  lowerer.add("Conv" + std::to_string(rank) + "DTranspose", settings);
  if (rest != Paddings(rank)) add_zero_padding(lowerer, rest, "crop");
}

}  // namespace tieout
