#include "layers/shared/adaptive_pool.h"

#include <algorithm>
#include <array>
#include <limits>

#include "layers/shared/elementwise.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  for (std::size_t k = 2; k < out.size(); ++k)
    out[k].size = layer.settings["counts"][k - 2].get<std::int64_t>();
  return {out};
}

void lower(Lowerer& lowerer, std::size_t rank, PoolOf what) {
  const std::string digit = std::to_string(rank);
  const Json& counts = lowerer.layer().settings["counts"];
  const Json setting = {{"output_size", rank == 1 ? counts[0] : counts}};
  if (lowerer.to_torch()) {
    lowerer.add((what == PoolOf::maximum ? "AdaptiveMaxPool" : "AdaptiveAvgPool") + digit + "d", setting);
  } else {
    lowerer.add((what == PoolOf::maximum ? "AdaptiveMaxPooling" : "AdaptiveAveragePooling") + digit + "D",
                setting);
  }
}

struct Range {
  std::int64_t first = 0;
  std::int64_t last = 1;
};

Range window(std::int64_t at, std::int64_t size, std::int64_t count) {
  return {at * size / count, ((at + 1) * size + count - 1) / count};
}

double pooled(const double* x, const std::array<std::int64_t, 3>& sizes, const std::array<Range, 3>& ranges,
              PoolOf what) {
  double largest = -std::numeric_limits<double>::infinity();
  double sum = 0;
  std::int64_t cells = 0;
  for (std::int64_t d = ranges[0].first; d < ranges[0].last; ++d) {
    for (std::int64_t h = ranges[1].first; h < ranges[1].last; ++h) {
      for (std::int64_t w = ranges[2].first; w < ranges[2].last; ++w, ++cells) {
        const double value = x[(d * sizes[1] + h) * sizes[2] + w];
        largest = std::max(largest, value);
        sum += value;
      }
    }
  }
  return what == PoolOf::maximum ? largest : sum / static_cast<double>(cells);
}

std::vector<Array> compute(const Evaluation& e, PoolOf what) {
  const Array& x = *e.inputs[0];
  const auto wanted = e.integers("counts");
  std::array<std::int64_t, 3> sizes{1, 1, 1};
  std::array<std::int64_t, 3> counts{1, 1, 1};
  Shape shape{x.size(0), x.size(1)};
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    sizes[k + 3 - wanted.size()] = x.size(k + 2);
    counts[k + 3 - wanted.size()] = wanted[k];
    shape.push_back(wanted[k]);
  }
  Array y(shape);
  double* into = y.data.data();
  for (std::int64_t map = 0; map < x.size(0) * x.size(1); ++map) {
    const double* from = x.data.data() + map * sizes[0] * sizes[1] * sizes[2];
    for (std::int64_t d = 0; d < counts[0]; ++d) {
      for (std::int64_t h = 0; h < counts[1]; ++h) {
        for (std::int64_t w = 0; w < counts[2]; ++w) {
          *into++ = pooled(from, sizes,
                           {window(d, sizes[0], counts[0]), window(h, sizes[1], counts[1]),
                            window(w, sizes[2], counts[2])},
                           what);
        }
      }
    }
  }
  return {y};
}

std::vector<Case> cases(std::size_t rank, PoolOf what) {
  // TensorFlow pools volumes on a CPU in float32 only, and cases are judged in float64.
  if (rank == 3) return {};
  const bool maximum = what == PoolOf::maximum;
  const std::string digit = std::to_string(rank);
  const std::string torch = (maximum ? "AdaptiveMaxPool" : "AdaptiveAvgPool") + digit + "d";
  const std::string keras = (maximum ? "AdaptiveMaxPooling" : "AdaptiveAveragePooling") + digit + "D";
  Shape channels_first{2, 3, 7, 8, 5};
  channels_first.resize(rank + 2);
  Shape channels_last{2, 7, 8, 5};
  channels_last.resize(rank + 1);
  channels_last.push_back(3);
  Json sizes = {3, 5, 2};
  sizes.get_ref<Json::array_t&>().resize(rank);
  const Json wanted = rank == 1 ? sizes[0] : sizes;
  return {torch_case("uneven windows", torch, {{"output_size", wanted}}, channels_first),
          torch_case("the same number", torch, {{"output_size", 3}}, channels_first),
          keras_case("uneven windows", keras, {{"output_size", wanted}}, channels_last),
          keras_case("more than there are", keras, {{"output_size", 9}}, channels_last)};
}

}  // namespace

LayerKind adaptive_pool_kind(std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = std::string("adaptive_") + (maximum ? "max" : "avg") + "_pool" + digit + "d";
  kind.summary = std::string(maximum ? "The largest number" : "The mean") +
                 " of each of a wanted number of windows of x (n c s...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#pooling-layers",
                  "https://keras.io/api/layers/pooling_layers/"};
  kind.infer = infer;
  kind.need = [rank](const Layer&, Framework target) { return image_need(rank, target); };
  kind.lower = [=](Lowerer& lowerer) { lower(lowerer, rank, what); };
  kind.compute = [what](const Evaluation& e) { return compute(e, what); };
  if (!maximum) kind.fan_in = [](const Layer&) { return 100.0; };
  kind.cases = cases(rank, what);
  return kind;
}

}  // namespace tieout
