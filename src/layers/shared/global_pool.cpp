#include "layers/shared/global_pool.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_call.h"
#include "layers/shared/outputs.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::string stem(PoolOf what) {
  return what == PoolOf::maximum ? "max_pool" : "avg_pool";
}

// Sizes that adaptive pooling is asked for; null keeps the input's.
std::vector<std::int64_t> wanted_counts(const Lifter& lifter, std::size_t rank,
                                        const std::vector<int>& order) {
  const Json& given = lifter.settings().raw("output_size");
  std::vector<std::int64_t> counts;
  for (std::size_t k = 0; k < rank; ++k) {
    const Json one = given.is_array() && given.size() == rank ? given[k] : given;
    if (one.is_null()) {
      counts.push_back(lifter.size(0, order[k + 2]));
    } else if (one.is_number_integer() && one.get<std::int64_t>() > 0) {
      counts.push_back(one.get<std::int64_t>());
    } else {
      throw malformed("the setting output_size should be positive integers, found " +
                      given.dump().substr(0, 60));
    }
  }
  return counts;
}

void lift_adaptive(Lifter& lifter, std::size_t rank, PoolOf what) {
  if (lifter.settings().flag("return_indices", false)) {
    lifter.refuse("it also returns the indices (return_indices)", "leave return_indices out");
  }
  const auto order = image_order(lifter, rank);
  const auto counts = wanted_counts(lifter, rank, order);
  Layer layer = lifter.layer("global_" + stem(what) + std::to_string(rank) + "d");
  layer.orders = {order};
  if (std::ranges::all_of(counts, [](std::int64_t n) { return n == 1; })) {
    layer.settings = {{"keepdims", true}};
    lifter.add(std::move(layer));
    return;
  }
  std::vector<std::int64_t> sizes;
  bool even = true;
  for (std::size_t k = 0; k < rank; ++k) {
    sizes.push_back(lifter.size(0, order[k + 2]));
    if (counts[k] == unknown)
      lifter.refuse("it keeps the size of an axis, which is not known", "give it with --input-shape");
    even = even && sizes[k] != unknown && sizes[k] % counts[k] == 0;
  }
  layer.kind = (even ? "" : "adaptive_") + stem(what) + std::to_string(rank) + "d";
  layer.settings = even ? even_pool(sizes, counts, what) : Json{{"counts", counts}};
  lifter.add(std::move(layer));
}

// Called with a sequence and a mask.
void lift_masked(Lifter& lifter) {
  static_cast<void>(keras_call(lifter, {"inputs", "mask"}));
  const bool first = lifter.settings().text("data_format", "channels_last") == "channels_first";
  lifter.roles(0, {"n", "t", "f"}, first ? std::vector<int>{0, 2, 1} : std::vector<int>{});
  lifter.roles(1, {"n", "t"});
  Layer layer = lifter.layer("masked_mean");
  if (first) layer.orders = {{0, 2, 1}, {}};
  const bool keepdims = lifter.settings().flag("keepdims", false);
  if (first && keepdims) layer.output_order = {0, 2, 1};
  layer.settings = {{"keepdims", keepdims}, {"all_steps", false}};
  lifter.add(std::move(layer));
}

void lift(Lifter& lifter, std::size_t rank, PoolOf what) {
  if (lifter.is_keras() && rank == 1 && what == PoolOf::mean && lifter.input_count() == 2) {
    lift_masked(lifter);
    return;
  }
  if (lifter.node().class_name.starts_with("Adaptive")) {
    lift_adaptive(lifter, rank, what);
    return;
  }
  Layer layer = lifter.layer("global_" + stem(what) + std::to_string(rank) + "d");
  layer.orders = {image_order(lifter, rank)};
  const bool keepdims = lifter.settings().flag("keepdims", false);
  layer.settings = {{"keepdims", keepdims}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  // Named as a flatten behind the pooling would name it: that is how PyTorch says the form without keepdims.
  if (!layer.settings["keepdims"].get<bool>()) return {{inputs[0][0], {"f", inputs[0][1].size, {}}}};
  Axes out = inputs[0];
  for (std::size_t k = 2; k < out.size(); ++k) out[k].size = 1;
  return {out};
}

void lower(Lowerer& lowerer, std::size_t rank, PoolOf what) {
  const std::string digit = std::to_string(rank);
  const bool keepdims = lowerer.layer().settings["keepdims"].get<bool>();
  if (lowerer.to_keras()) {
    lowerer.add((what == PoolOf::maximum ? "GlobalMaxPooling" : "GlobalAveragePooling") + digit + "D",
                {{"keepdims", keepdims}});
    return;
  }
  lowerer.add((what == PoolOf::maximum ? "AdaptiveMaxPool" : "AdaptiveAvgPool") + digit + "d",
              {{"output_size", 1}});
  if (!keepdims) lowerer.add("Flatten", Json::object(), {}, "flatten");
}

std::vector<Array> compute(const Evaluation& e, PoolOf what) {
  const Array& x = *e.inputs[0];
  Shape shape{x.size(0), x.size(1)};
  if (e.flag("keepdims")) shape.resize(x.rank(), 1);
  Array y(shape);
  const std::size_t area = y.count() == 0 ? 0 : x.count() / y.count();
  for (std::size_t k = 0; k < y.count(); ++k) {
    const auto first = x.data.begin() + static_cast<std::ptrdiff_t>(k * area);
    const auto last = first + static_cast<std::ptrdiff_t>(area);
    if (what == PoolOf::maximum) {
      y.data[k] = area == 0 ? -std::numeric_limits<double>::infinity() : *std::max_element(first, last);
    } else {
      y.data[k] = std::accumulate(first, last, 0.0) / static_cast<double>(area);
    }
  }
  return {y};
}

// Images whose channels lie last: cell by cell, in the same order.
std::optional<std::vector<Array>> compute_fast(const Evaluation& e, PoolOf what) {
  const Array& x = *e.inputs[0];
  const auto& order = e.layer.orders;
  const bool ordered = !order.empty() && order[0].size() > 1;
  if (!ordered || order[0][1] != static_cast<int>(x.rank()) - 1 || x.count() == 0) return std::nullopt;
  const std::int64_t channels = x.shape.back();
  Shape shape{x.size(0), channels};
  if (e.flag("keepdims")) shape.insert(shape.begin() + 1, x.rank() - 2, 1);
  Array y(shape);
  const bool maximum = what == PoolOf::maximum;
  const std::int64_t area = static_cast<std::int64_t>(x.count()) / (x.size(0) * channels);
  const double* from = x.data.data();
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    double* into = y.data.data() + n * channels;
    if (maximum) std::copy_n(from, channels, into);
    for (std::int64_t cell = 0; cell < area; ++cell, from += channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        into[c] = maximum ? std::max(into[c], from[c]) : into[c] + from[c];
      }
    }
    for (std::int64_t c = 0; !maximum && c < channels; ++c) into[c] /= static_cast<double>(area);
  }
  return one_output(std::move(y));
}

std::vector<Case> cases(std::size_t rank, PoolOf what) {
  const std::string digit = std::to_string(rank);
  const std::string torch = (what == PoolOf::maximum ? "AdaptiveMaxPool" : "AdaptiveAvgPool") + digit + "d";
  const std::string keras =
      (what == PoolOf::maximum ? "GlobalMaxPooling" : "GlobalAveragePooling") + digit + "D";
  Shape channels_first{2, 3, 6, 4, 2};
  channels_first.resize(rank + 2);
  Shape channels_last{2, 6, 4, 2};
  channels_last.resize(rank + 1);
  channels_last.push_back(3);
  std::vector<Case> all = {torch_case("to one cell", torch, {{"output_size", 1}}, channels_first),
                           keras_case("default", keras, Json::object(), channels_last),
                           keras_case("keepdims", keras, {{"keepdims", true}}, channels_last)};
  // TensorFlow pools volumes on a CPU in float32 only, and cases are judged in float64.
  if (rank < 3) all.push_back(torch_case("to two cells", torch, {{"output_size", 2}}, channels_first));
  return all;
}

}  // namespace

LayerKind global_pool_kind(std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "global_" + stem(what) + digit + "d";
  kind.torch = {{(maximum ? "AdaptiveMaxPool" : "AdaptiveAvgPool") + digit + "d", Status::exact, ""}};
  kind.keras = {
      {(maximum ? "GlobalMaxPooling" : "GlobalAveragePooling") + digit + "D", Status::composed,
       "without keepdims: adaptive pooling to one cell and a flatten"},
      {(maximum ? "AdaptiveMaxPooling" : "AdaptiveAveragePooling") + digit + "D", Status::exact, ""}};
  kind.summary = std::string(maximum ? "The largest" : "The mean") +
                 " of each channel of x (n c s...): y (n c) or (n c 1...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#pooling-layers",
                  "https://keras.io/api/layers/pooling_layers/"};
  kind.lift = [=](Lifter& lifter) { lift(lifter, rank, what); };
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [=](Lowerer& lowerer) { lower(lowerer, rank, what); };
  kind.compute = [what](const Evaluation& e) { return compute(e, what); };
  kind.compute_fast = [what](const Evaluation& e) { return compute_fast(e, what); };
  // The record does not see the input; a map of a few dozen cells each way is usual.
  if (!maximum) kind.fan_in = [](const Layer&) { return 1000.0; };
  kind.cases = cases(rank, what);
  return kind;
}

}  // namespace tieout
