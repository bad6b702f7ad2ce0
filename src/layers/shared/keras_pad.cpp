#include "layers/shared/keras_pad.h"

#include <algorithm>

#include "layers/shared/pad.h"
#include "layers/shared/taps.h"

namespace tieout {

namespace {

void add_pad_operation(Lowerer& lowerer, const Paddings& paddings, const std::string& mode, double value,
                       const std::string& helper) {
  Json widths = Json::array({{0, 0}});
  for (const Padding& padding : paddings) widths.push_back({padding.low, padding.high});
  widths.push_back({0, 0});
  FrameworkNode node;
  node.class_name = "Pad";
  node.module = "keras.src.ops.numpy";
  node.settings = {{"pad_width", widths}, {"mode", mode}};
  if (mode == "constant") {
    node.settings["args"] = Json::array({{{"input", 0}}});
    node.settings["kwargs"] = {{"constant_values", value}};
  }
  lowerer.add_node(std::move(node), helper);
}

std::string joined(const std::string& helper, const std::string& more) {
  return helper.empty() ? more : helper + "_" + more;
}

// The cells that each axis shows, as constant indices.
void add_takes(Lowerer& lowerer, const Paddings& paddings, const std::string& mode,
               const std::string& helper) {
  const auto names = spatial_names(paddings.size());
  std::size_t last = 0;
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    if (paddings[k] != Padding{}) last = k;
  }
  for (std::size_t k = 0; k <= last; ++k) {
    if (paddings[k] == Padding{} && k != last) continue;
    const std::int64_t size = lowerer.axes().at(k + 1).size;
    if (size == unknown)
      lowerer.refuse("the padding mode " + mode + " needs the input's size in Keras, which is not known",
                     "give it with --input-shape");
    std::vector<std::int64_t> cells;
    for (std::int64_t at = -paddings[k].low; at < size + paddings[k].high; ++at)
      cells.push_back(padded_from(at, size, mode));
    add_keras_take(lowerer, k + 1, cells, k == last ? helper : joined(helper, names[k]));
  }
}

}  // namespace

void add_keras_padding(Lowerer& lowerer, const Paddings& paddings, const std::string& mode, double value,
                       const std::string& helper) {
  const bool constant = mode == "zeros" || mode == "constant";
  if (constant && value == 0) {
    add_zero_padding(lowerer, paddings, helper);
    return;
  }
  if (constant) {
    Paddings crop;
    Paddings pad;
    for (const Padding& p : paddings) {
      crop.push_back({std::min<std::int64_t>(p.low, 0), std::min<std::int64_t>(p.high, 0)});
      pad.push_back({std::max<std::int64_t>(p.low, 0), std::max<std::int64_t>(p.high, 0)});
    }
    if (crop != Paddings(paddings.size())) add_zero_padding(lowerer, crop, joined(helper, "crop"));
    add_pad_operation(lowerer, pad, "constant", value, helper);
    return;
  }
  // A border of one cell, mirrored, is the cell itself.
  const bool narrow =
      std::ranges::all_of(paddings, [](const Padding& p) { return p.low <= 1 && p.high <= 1; });
  if (mode == "reflect" || mode == "symmetric" || (mode == "replicate" && narrow)) {
    add_pad_operation(lowerer, paddings, mode == "replicate" ? "symmetric" : mode, 0, helper);
  } else {
    add_takes(lowerer, paddings, mode, helper);
  }
}

}  // namespace tieout
