#include "layers/shared/pool.h"

#include <algorithm>

#include "layers/shared/pool_cases.h"
#include "layers/shared/pool_write.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

namespace tieout {

namespace {

struct Window {
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilation;
  Paddings padding;
  std::vector<std::int64_t> tail;
};

void check(const Window& w) {
  const auto positive = [](const std::vector<std::int64_t>& all) {
    return std::ranges::all_of(all, [](std::int64_t n) { return n > 0 && n < (1 << 24); });
  };
  if (!positive(w.kernel) || !positive(w.strides) || !positive(w.dilation)) {
    throw malformed("window sizes, strides and dilations must be positive");
  }
  for (std::size_t k = 0; k < w.kernel.size(); ++k) {
    if (w.padding[k].low < 0 || w.padding[k].high < 0 ||
        w.padding[k].low > (w.kernel[k] - 1) * w.dilation[k]) {
      throw malformed("the padding of a pooling must be narrower than its window");
    }
  }
}

// Cells behind the padding that the last window reaches. ceil((n + 2p - reach - 1) / s) + 1 windows, without
// the last one if it would begin behind n + p (torch/aten/src/ATen/native/Pool.h,
// pooling_output_shape_pad_lr).
std::int64_t ceil_tail(std::int64_t size, std::int64_t padding, std::int64_t reach, std::int64_t stride) {
  const std::int64_t room = size + 2 * padding - reach - 1;
  if (room < 0) return 0;
  std::int64_t windows = (room + stride - 1) / stride + 1;
  if ((windows - 1) * stride >= size + padding) --windows;
  return std::max<std::int64_t>((windows - 1) * stride + reach + 1 - size - 2 * padding, 0);
}

Window read_torch(Lifter& lifter, std::size_t rank, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  if (given.flag("return_indices", false)) {
    lifter.refuse("it also returns the indices (return_indices)", "leave return_indices out");
  }
  Window w;
  w.kernel = given.integers("kernel_size", rank);
  w.strides = given.has("stride") ? given.integers("stride", rank) : w.kernel;
  w.dilation = given.integers("dilation", rank, 1);
  for (const std::int64_t p : given.integers("padding", rank, 0)) w.padding.push_back({p, p});
  w.tail.assign(rank, 0);
  check(w);
  if (!given.flag("ceil_mode", false)) return w;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t size = lifter.size(0, order[k + 2]);
    if (size == unknown && w.strides[k] > 1) {
      lifter.refuse("ceil_mode depends on the input's size, which is not known",
                    "give it with --input-shape");
    }
    if (size != unknown) {
      w.tail[k] = ceil_tail(size, w.padding[k].low, (w.kernel[k] - 1) * w.dilation[k], w.strides[k]);
    }
  }
  return w;
}

Window read_keras(Lifter& lifter, std::size_t rank, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  Window w;
  w.kernel = given.integers("pool_size", rank, 2);
  w.strides = given.has("strides") ? given.integers("strides", rank) : w.kernel;
  w.dilation.assign(rank, 1);
  w.tail.assign(rank, 0);
  w.padding.resize(rank);
  check(w);
  const std::string mode = given.text("padding", "valid");
  if (mode == "same") {
    w.padding = same_padding(lifter, order, w.kernel, w.strides, w.dilation);
  } else if (mode != "valid") {
    lifter.refuse("the padding \"" + mode + "\" is not known", "use valid or same");
  }
  return w;
}

void lift(Lifter& lifter, std::size_t rank, PoolOf what) {
  const auto order = image_order(lifter, rank);
  Window w = lifter.is_torch() ? read_torch(lifter, rank, order) : read_keras(lifter, rank, order);
  Layer layer =
      lifter.layer((what == PoolOf::maximum ? "max_pool" : "avg_pool") + std::to_string(rank) + "d");
  layer.orders = {order};
  layer.settings = {{"kernel", w.kernel}, {"strides", w.strides}};
  if (what == PoolOf::maximum) {
    for (std::size_t k = 0; k < rank; ++k) w.padding[k].high += w.tail[k];
    layer.settings["padding"] = to_json(w.padding);
    layer.settings["dilation"] = w.dilation;
    layer.settings["outside"] = nullptr;
  } else {
    layer.settings["padding"] = to_json(w.padding);
    layer.settings["tail"] = w.tail;
    layer.settings["count_padding"] = lifter.is_torch() && lifter.settings().flag("count_include_pad", true);
    layer.settings["divisor"] = nullptr;
    if (lifter.settings().has("divisor_override")) {
      const std::int64_t divisor = lifter.settings().integer("divisor_override");
      if (divisor == 0) throw malformed("divisor_override must not be 0");
      layer.settings["divisor"] = divisor;
    }
  }
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const auto kernel = layer.settings["kernel"].get<std::vector<std::int64_t>>();
  const auto strides = layer.settings["strides"].get<std::vector<std::int64_t>>();
  auto padding = paddings_from(layer.settings);
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    const bool has_tail = layer.settings.contains("tail");
    if (has_tail) padding[k].high += layer.settings["tail"][k].get<std::int64_t>();
    const std::int64_t dilation = has_tail ? 1 : layer.settings["dilation"][k].get<std::int64_t>();
    out[k + 2].size = window_count(out[k + 2].size, padding[k], kernel[k], strides[k], dilation);
  }
  return {out};
}

double window_cells(const Layer& layer) {
  double cells = 1;
  for (const auto& size : layer.settings["kernel"]) cells *= size.get<double>();
  return cells;
}

Mistake padding_is_zero() {
  const auto mutate = [](Layer& layer, Framework, const std::vector<Axes>&) {
    const auto paddings = paddings_from(layer.settings);
    if (paddings == Paddings(paddings.size())) return false;
    layer.settings["outside"] = 0.0;
    return true;
  };
  return {"padding_is_zero", "the padding holds zeros, which exceed negative values, instead of nothing",
          mutate};
}

Mistake padding_counts() {
  const auto mutate = [](Layer& layer, Framework, const std::vector<Axes>&) {
    const auto paddings = paddings_from(layer.settings);
    if (paddings == Paddings(paddings.size())) return false;
    layer.settings["count_padding"] = !layer.settings["count_padding"].get<bool>();
    return true;
  };
  return {"padding_counts",
          "one side counts the padding's zeros in the mean (count_include_pad), the other does not", mutate};
}

}  // namespace

Json even_pool(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& counts, PoolOf what) {
  std::vector<std::int64_t> kernel;
  for (std::size_t k = 0; k < sizes.size(); ++k) kernel.push_back(sizes[k] / counts[k]);
  const std::vector<std::int64_t> ones(sizes.size(), 1);
  const std::vector<std::int64_t> zeros(sizes.size(), 0);
  Json settings = {{"kernel", kernel}, {"strides", kernel}, {"padding", to_json(Paddings(sizes.size()))}};
  if (what == PoolOf::maximum) {
    settings["dilation"] = ones;
    settings["outside"] = nullptr;
  } else {
    settings["tail"] = zeros;
    settings["count_padding"] = false;
    settings["divisor"] = nullptr;
  }
  return settings;
}

LayerKind pool_kind(std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = (maximum ? "max_pool" : "avg_pool") + digit + "d";
  kind.torch = {{(maximum ? "MaxPool" : "AvgPool") + digit + "d", Status::exact, ""}};
  kind.keras = {{(maximum ? "MaxPooling" : "AveragePooling") + digit + "D", Status::exact, ""}};
  kind.summary =
      std::string(maximum ? "The largest number" : "The mean") + " of each window of x (n c s...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#pooling-layers",
                  "https://keras.io/api/layers/pooling_layers/"};
  kind.lift = [=](Lifter& lifter) { lift(lifter, rank, what); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [=](Lowerer& lowerer) {
    lowerer.to_torch() ? write_torch_pool(lowerer, rank, what) : write_keras_pool(lowerer, rank, what);
  };
  kind.compute = compute_pool;
  if (!maximum) kind.fan_in = window_cells;
  kind.mistakes = {same_padding_mistake(), maximum ? padding_is_zero() : padding_counts()};
  kind.cases = pool_cases(rank, what);
  return kind;
}

}  // namespace tieout
