#include "layers/shared/pool_write.h"

#include <algorithm>

#include "layers/shared/spatial.h"

namespace tieout {

namespace {

using Run = PoolRun;

std::vector<std::int64_t> numbers(const Layer& layer, const std::string& name) {
  return layer.settings.at(name).get<std::vector<std::int64_t>>();
}

std::vector<std::int64_t> spatial_sizes(const Lowerer& lowerer, std::size_t rank) {
  std::vector<std::int64_t> sizes;
  for (std::size_t k = 0; k < rank; ++k) {
    const auto place = static_cast<std::size_t>(lowerer.layer().orders.at(0).at(k + 2));
    sizes.push_back(lowerer.source_axes().at(place).size);
  }
  return sizes;
}

// The sizes are known.
std::vector<Run> runs(const Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const auto sizes = spatial_sizes(lowerer, rank);
  const auto kernel = numbers(layer, "kernel");
  const auto strides = numbers(layer, "strides");
  const auto dilation =
      layer.settings.contains("dilation") ? numbers(layer, "dilation") : std::vector<std::int64_t>(rank, 1);
  const auto tail =
      layer.settings.contains("tail") ? numbers(layer, "tail") : std::vector<std::int64_t>(rank, 0);
  const auto paddings = pool_padding(layer.settings, sizes);
  std::vector<Run> all;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t size = sizes[k];
    const Padding padding{paddings[k].low, paddings[k].high + tail[k]};
    all.push_back({size, kernel[k], strides[k], dilation[k], padding.low,
                   window_count(size, padding, kernel[k], strides[k], dilation[k])});
  }
  return all;
}

std::vector<std::int64_t> each(const std::vector<Run>& all, std::int64_t Run::*part) {
  std::vector<std::int64_t> values;
  for (const Run& run : all) values.push_back(run.*part);
  return values;
}

bool fits_valid(const Run& run) {
  return run.low == 0 && run.size >= run.kernel && run.count == (run.size - run.kernel) / run.stride + 1;
}

// TensorFlow's "same"; see same_padding in spatial.h.
bool fits_same(const Run& run) {
  const std::int64_t windows = (run.size + run.stride - 1) / run.stride;
  const std::int64_t total = std::max<std::int64_t>((windows - 1) * run.stride + run.kernel - run.size, 0);
  return run.count == windows && run.low == total / 2;
}

// Keras with stride 1 and "same" has a window at every cell, the first one (k - 1) / 2 cells before the
// input. Those that are wanted are then `skip`, skip + s, ...
std::int64_t skipped(const Run& run) {
  return (run.kernel - 1) / 2 - run.low;
}

bool fits_picked(const Run& run) {
  return skipped(run) >= 0 && skipped(run) + (run.count - 1) * run.stride < run.size;
}

void add_picked(Lowerer& lowerer, const std::string& class_name, const std::vector<Run>& all) {
  const std::vector<std::int64_t> ones(all.size(), 1);
  lowerer.add(class_name, {{"pool_size", each(all, &Run::kernel)}, {"strides", ones}, {"padding", "same"}});
  Paddings crop;
  for (const Run& run : all) {
    const std::int64_t behind = run.size - 1 - skipped(run) - (run.count - 1) * run.stride;
    // What the picking leaves out anyway need not be cropped.
    crop.push_back({-skipped(run), behind >= run.stride ? -behind : 0});
  }
  if (crop != Paddings(all.size())) add_zero_padding(lowerer, crop, "crop");
  const auto strides = each(all, &Run::stride);
  if (strides != ones)
    lowerer.add(class_name, {{"pool_size", ones}, {"strides", strides}, {"padding", "valid"}}, {}, "stride");
}

bool sizes_known(const Lowerer& lowerer, std::size_t rank) {
  const auto sizes = spatial_sizes(lowerer, rank);
  return std::ranges::find(sizes, unknown) == sizes.end();
}

bool plain_mean_or_maximum(const Layer& layer) {
  const auto ones = std::vector<std::int64_t>(layer.settings["kernel"].size(), 1);
  const auto zeros = std::vector<std::int64_t>(layer.settings["kernel"].size(), 0);
  return layer.settings.contains("dilation")
             ? numbers(layer, "dilation") == ones
             : layer.settings["divisor"].is_null() && numbers(layer, "tail") == zeros;
}

// What does not depend on the size: no padding, or "same".
void write_keras_unsized(Lowerer& lowerer, const std::string& class_name, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const auto kernel = numbers(layer, "kernel");
  const auto strides = numbers(layer, "strides");
  const auto paddings = paddings_from(layer.settings);
  bool same = layer.settings["same"].get<bool>();
  const bool valid = !same && paddings == Paddings(rank);
  if (!same && !valid) {
    same = layer.settings.contains("dilation") || !layer.settings["count_padding"].get<bool>();
    for (std::size_t k = 0; k < rank; ++k)
      same = same && strides[k] == 1 && paddings[k] == Padding{(kernel[k] - 1) / 2, kernel[k] / 2};
  }
  if (!plain_mean_or_maximum(layer) || (!valid && !same))
    lowerer.refuse("where its windows end depends on the input's size, which is not known",
                   "give it with --input-shape");
  lowerer.add(class_name,
              {{"pool_size", kernel}, {"strides", strides}, {"padding", valid ? "valid" : "same"}});
}

// Turns a mean that counts the padding into one without: the zeros are put there by a layer of their own.
void pad_counted(Lowerer& lowerer, std::vector<Run>& all) {
  const auto paddings = paddings_from(lowerer.layer().settings);
  if (paddings == Paddings(all.size())) return;
  add_zero_padding(lowerer, paddings, "pad");
  for (std::size_t k = 0; k < all.size(); ++k) {
    all[k].size += paddings[k].low + paddings[k].high;
    all[k].low = 0;
  }
}

}  // namespace

void write_keras_pool(Lowerer& lowerer, std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const std::string class_name = (maximum ? "MaxPooling" : "AveragePooling") + std::to_string(rank) + "D";
  const Json& settings = lowerer.layer().settings;
  if (!sizes_known(lowerer, rank)) {
    write_keras_unsized(lowerer, class_name, rank);
    return;
  }
  std::vector<Run> all = runs(lowerer, rank);
  const bool dilated = std::ranges::any_of(all, [](const Run& run) { return run.dilation != 1; });
  if (dilated || (!maximum && !settings["divisor"].is_null())) {
    write_keras_windows(lowerer, all, what);
    return;
  }
  const bool counted = !maximum && settings["count_padding"].get<bool>();
  std::vector<Run> plain = all;
  if (counted) {
    const auto paddings = paddings_from(settings);
    for (std::size_t k = 0; k < rank; ++k)
      plain[k] = {
          all[k].size + paddings[k].low + paddings[k].high, all[k].kernel, all[k].stride, 1, 0, all[k].count};
  }
  const bool valid = std::ranges::all_of(plain, fits_valid);
  const bool same = std::ranges::all_of(plain, fits_same);
  if (!valid && !same && !std::ranges::all_of(plain, fits_picked)) {
    write_keras_windows(lowerer, all, what);
    return;
  }
  if (counted) pad_counted(lowerer, all);
  if (!valid && !same) {
    add_picked(lowerer, class_name, plain);
    return;
  }
  lowerer.add(class_name, {{"pool_size", each(plain, &Run::kernel)},
                           {"strides", each(plain, &Run::stride)},
                           {"padding", valid ? "valid" : "same"}});
}

namespace {

// How many windows PyTorch makes; see ceil_tail in pool.cpp.
std::int64_t torch_windows(const Run& run, std::int64_t padding, bool ceil) {
  const std::int64_t room = run.size + 2 * padding - (run.kernel - 1) * run.dilation - 1;
  if (room < 0) return 0;
  if (!ceil) return room / run.stride + 1;
  const std::int64_t windows = (room + run.stride - 1) / run.stride + 1;
  return (windows - 1) * run.stride >= run.size + padding ? windows - 1 : windows;
}

// The smallest padding that PyTorch takes with which the wanted windows are among its own; -1: none.
std::int64_t torch_padding(const Run& run, bool ceil) {
  for (std::int64_t p = run.low; p <= ((run.kernel - 1) * run.dilation + 1) / 2; p += run.stride) {
    if (torch_windows(run, p, ceil) - (p - run.low) / run.stride >= run.count) return p;
  }
  return -1;
}

// Padding that holds nothing: any symmetric one will do whose windows include the wanted ones. Ours is the
// second choice, behind a pooling that needs no crop.
void write_empty_padding(Lowerer& lowerer, const std::string& class_name, const std::vector<Run>& all,
                         Json settings, PoolOf what) {
  const bool ours =
      std::ranges::all_of(all, [](const Run& run) { return run.dilation == 1 && fits_same(run); }) &&
      !settings.contains("divisor_override");
  for (const bool ceil : {false, true}) {
    std::vector<std::int64_t> padding;
    Paddings crop;
    for (const Run& run : all) {
      padding.push_back(torch_padding(run, ceil));
      const std::int64_t before = (padding.back() - run.low) / run.stride;
      crop.push_back({-before, -(torch_windows(run, padding.back(), ceil) - before - run.count)});
    }
    if (std::ranges::find(padding, -1) != padding.end()) continue;
    const bool cropped = crop != Paddings(all.size());
    if (cropped && ours) continue;
    if (padding != std::vector<std::int64_t>(all.size(), 0)) settings["padding"] = padding;
    if (ceil) settings["ceil_mode"] = true;
    lowerer.add(class_name, settings, {}, cropped ? "windows" : "");
    if (cropped) add_zero_padding(lowerer, crop, {});
    return;
  }
  if (ours) {
    write_same_pool(lowerer, all.size(), what);
    return;
  }
  lowerer.refuse("its windows begin where no PyTorch pooling has any",
                 "use padding=\"valid\", or an odd pool_size");
}

void write_torch_unsized(Lowerer& lowerer, const std::string& class_name, std::size_t rank, PoolOf what) {
  const Layer& layer = lowerer.layer();
  const auto paddings = paddings_from(layer.settings);
  if (!plain_mean_or_maximum(layer))
    lowerer.refuse("where its windows end depends on the input's size, which is not known",
                   "give it with --input-shape");
  const bool symmetric = std::ranges::all_of(paddings, [](const Padding& p) { return p.low == p.high; });
  if (layer.settings["same"].get<bool>() || !symmetric) {
    write_same_pool(lowerer, rank, what);
    return;
  }
  Json settings = {{"kernel_size", numbers(layer, "kernel")}, {"stride", numbers(layer, "strides")}};
  if (paddings != Paddings(rank)) {
    std::vector<std::int64_t> padding;
    for (const Padding& p : paddings) padding.push_back(p.low);
    settings["padding"] = padding;
    if (what == PoolOf::mean && !layer.settings["count_padding"].get<bool>())
      settings["count_include_pad"] = false;
  }
  lowerer.add(class_name, settings);
}

}  // namespace

void write_torch_pool(Lowerer& lowerer, std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const std::string class_name = (maximum ? "MaxPool" : "AvgPool") + std::to_string(rank) + "d";
  const Json& given = lowerer.layer().settings;
  if (!sizes_known(lowerer, rank)) {
    write_torch_unsized(lowerer, class_name, rank, what);
    return;
  }
  const std::vector<Run> all = runs(lowerer, rank);
  Json settings = {{"kernel_size", each(all, &Run::kernel)}, {"stride", each(all, &Run::stride)}};
  if (maximum) {
    if (each(all, &Run::dilation) != std::vector<std::int64_t>(rank, 1))
      settings["dilation"] = each(all, &Run::dilation);
    write_empty_padding(lowerer, class_name, all, settings, what);
    return;
  }
  const auto paddings = pool_padding(given, spatial_sizes(lowerer, rank));
  const bool padded = paddings != Paddings(rank);
  if (!given["divisor"].is_null()) settings["divisor_override"] = given["divisor"];
  if (padded && !given["count_padding"].get<bool>()) settings["count_include_pad"] = false;
  if (!padded || !given["count_padding"].get<bool>()) {
    write_empty_padding(lowerer, class_name, all, settings, what);
    return;
  }
  // Counted padding comes from PyTorch itself, so it is symmetric.
  settings["padding"] = each(all, &Run::low);
  if (numbers(lowerer.layer(), "tail") != std::vector<std::int64_t>(rank, 0)) settings["ceil_mode"] = true;
  lowerer.add(class_name, settings);
}

}  // namespace tieout
