#include "layers/shared/pool.h"

#include <algorithm>

#include "layers/shared/elementwise.h"
#include "layers/shared/pool_cases.h"
#include "layers/shared/pool_write.h"
#include "tieout/error.h"

namespace tieout {

namespace {

struct Window {
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilation;
  Paddings padding;
  std::vector<std::int64_t> tail;
  bool same = false;
};

// TensorFlow's "same" of one axis; see spatial.h. With stride 1 the size does not matter.
Padding same_padding(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t total =
      stride == 1 ? kernel - 1
                  : std::max<std::int64_t>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
  return {total / 2, total - total / 2};
}

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

// Keras' "same", which our own PyTorch class computes too.
void set_same(const Lifter& lifter, const std::vector<int>& order, Window& w) {
  for (std::size_t k = 0; k < w.kernel.size(); ++k) {
    const std::int64_t size = lifter.size(0, order[k + 2]);
    w.same = w.same || (size == unknown && w.strides[k] > 1);
  }
  if (w.same) return;
  for (std::size_t k = 0; k < w.kernel.size(); ++k)
    w.padding[k] = same_padding(lifter.size(0, order[k + 2]), w.kernel[k], w.strides[k]);
}

Window read_keras(Lifter& lifter, std::size_t rank, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  const bool own = lifter.is_torch();
  Window w;
  w.kernel = own ? given.integers("kernel_size", rank) : given.integers("pool_size", rank, 2);
  const char* const strides = own ? "stride" : "strides";
  w.strides = given.has(strides) ? given.integers(strides, rank) : w.kernel;
  w.dilation.assign(rank, 1);
  w.tail.assign(rank, 0);
  w.padding.resize(rank);
  check(w);
  const std::string mode = own ? "same" : given.text("padding", "valid");
  if (mode == "same") {
    set_same(lifter, order, w);
  } else if (mode != "valid") {
    lifter.refuse("the padding \"" + mode + "\" is not known", "use valid or same");
  }
  return w;
}

void lift(Lifter& lifter, std::size_t rank, PoolOf what) {
  const auto order = image_order(lifter, rank);
  Layer layer =
      lifter.layer((what == PoolOf::maximum ? "max_pool" : "avg_pool") + std::to_string(rank) + "d");
  layer.orders = {order};
  layer.settings = read_pool(lifter, order, what);
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const auto kernel = layer.settings["kernel"].get<std::vector<std::int64_t>>();
  const auto strides = layer.settings["strides"].get<std::vector<std::int64_t>>();
  auto padding = paddings_from(layer.settings);
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    if (layer.settings["same"].get<bool>()) {
      auto& size = out[k + 2].size;
      if (size != unknown) size = (size + strides[k] - 1) / strides[k];
      continue;
    }
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

Json read_pool(Lifter& lifter, const std::vector<int>& order, PoolOf what) {
  const std::size_t rank = order.size() - 2;
  const bool own = lifter.node().class_name.starts_with("tieout.");
  Window w = lifter.is_torch() && !own ? read_torch(lifter, rank, order) : read_keras(lifter, rank, order);
  Json settings = {{"kernel", w.kernel}, {"strides", w.strides}, {"same", w.same}};
  if (what == PoolOf::maximum) {
    for (std::size_t k = 0; k < rank; ++k) w.padding[k].high += w.tail[k];
    settings["padding"] = to_json(w.padding);
    settings["dilation"] = w.dilation;
    settings["outside"] = nullptr;
    return settings;
  }
  settings["padding"] = to_json(w.padding);
  settings["tail"] = w.tail;
  settings["count_padding"] = lifter.is_torch() && !own && lifter.settings().flag("count_include_pad", true);
  settings["divisor"] = nullptr;
  if (lifter.settings().has("divisor_override")) {
    const std::int64_t divisor = lifter.settings().integer("divisor_override");
    if (divisor == 0) throw malformed("divisor_override must not be 0");
    settings["divisor"] = divisor;
  }
  return settings;
}

Paddings pool_padding(const Json& settings, const std::vector<std::int64_t>& sizes) {
  if (!settings.at("same").get<bool>()) return paddings_from(settings);
  Paddings paddings;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    if (sizes[k] == unknown) throw internal_error("the padding of a pooling is not known");
    paddings.push_back(same_padding(sizes[k], settings["kernel"][k].get<std::int64_t>(),
                                    settings["strides"][k].get<std::int64_t>()));
  }
  return paddings;
}

Json even_pool(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& counts, PoolOf what) {
  std::vector<std::int64_t> kernel;
  for (std::size_t k = 0; k < sizes.size(); ++k) kernel.push_back(sizes[k] / counts[k]);
  const std::vector<std::int64_t> ones(sizes.size(), 1);
  const std::vector<std::int64_t> zeros(sizes.size(), 0);
  Json settings = {
      {"kernel", kernel}, {"strides", kernel}, {"padding", to_json(Paddings(sizes.size()))}, {"same", false}};
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
  kind.torch = exact({(maximum ? "MaxPool" : "AvgPool") + digit + "d", same_pool_class(rank, what)});
  if (maximum) {
    const std::string reason =
        "its second input, the places of the largest numbers, is what no carried layer returns";
    kind.torch.push_back({"MaxUnpool" + digit + "d", Status::refused, reason});
    if (rank > 1)
      kind.torch.push_back({"FractionalMaxPool" + digit + "d", Status::refused,
                            "it draws its windows at random, at inference too"});
  }
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
  kind.compute_fast = compute_pool_fast;
  if (!maximum) kind.fan_in = window_cells;
  kind.mistakes = {same_padding_mistake(), maximum ? padding_is_zero() : padding_counts()};
  kind.cases = pool_cases(rank, what);
  return kind;
}

}  // namespace tieout
