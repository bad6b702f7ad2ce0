#include <algorithm>
#include <array>
#include <limits>

#include "layers/shared/pool.h"
#include "layers/shared/spatial.h"

namespace tieout {

namespace {

// One axis of a window: its first cell (which may lie in the padding) and how it goes on.
struct Span {
  std::int64_t first = 0;
  std::int64_t kernel = 1;
  std::int64_t dilation = 1;
  std::int64_t size = 1;  // of the input
  std::int64_t low = 0;   // padding
  std::int64_t high = 0;
  // Cells that lie in the input or its padding, not in the tail.
  [[nodiscard]] std::int64_t counted() const {
    return std::max<std::int64_t>(std::min(first + kernel, size + high) - std::max(first, -low), 0);
  }
};

using Spans = std::array<Span, 3>;

// Calls `see` with each cell of the window that lies in the input; returns how many there are.
template <typename See>
std::int64_t cells(const Spans& at, const double* x, See see) {
  std::int64_t count = 0;
  for (std::int64_t a = 0; a < at[0].kernel; ++a) {
    const std::int64_t d = at[0].first + a * at[0].dilation;
    if (d < 0 || d >= at[0].size) continue;
    for (std::int64_t b = 0; b < at[1].kernel; ++b) {
      const std::int64_t h = at[1].first + b * at[1].dilation;
      if (h < 0 || h >= at[1].size) continue;
      for (std::int64_t c = 0; c < at[2].kernel; ++c) {
        const std::int64_t w = at[2].first + c * at[2].dilation;
        if (w < 0 || w >= at[2].size) continue;
        see(x[(d * at[1].size + h) * at[2].size + w]);
        ++count;
      }
    }
  }
  return count;
}

double largest(const Spans& at, const double* x, const Json& outside) {
  double best = -std::numeric_limits<double>::infinity();
  const std::int64_t inside = cells(at, x, [&](double value) { best = std::max(best, value); });
  if (!outside.is_null() && inside < at[0].kernel * at[1].kernel * at[2].kernel)
    best = std::max(best, outside.get<double>());
  return best;
}

double mean(const Spans& at, const double* x, const Json& settings) {
  double sum = 0;
  std::int64_t count = cells(at, x, [&](double value) { sum += value; });
  if (settings["count_padding"].get<bool>()) count = at[0].counted() * at[1].counted() * at[2].counted();
  if (!settings["divisor"].is_null()) count = settings["divisor"].get<std::int64_t>();
  return sum / static_cast<double>(count);
}

}  // namespace

std::vector<Array> compute_pool(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Json& settings = e.layer.settings;
  const bool maximum = settings.contains("outside");
  const auto kernel = e.integers("kernel");
  const auto strides = e.integers("strides");
  const std::size_t rank = kernel.size();
  const auto paddings =
      pool_padding(settings, {x.shape.begin() + 2, x.shape.begin() + 2 + static_cast<std::ptrdiff_t>(rank)});
  Spans spans;
  std::array<std::int64_t, 3> counts{1, 1, 1};
  std::array<std::int64_t, 3> steps{1, 1, 1};
  Shape out{x.size(0), x.size(1)};
  for (std::size_t k = 0; k < rank; ++k) {
    const std::size_t at = k + 3 - rank;
    const std::int64_t dilation = maximum ? settings["dilation"][k].get<std::int64_t>() : 1;
    const std::int64_t tail = maximum ? 0 : settings["tail"][k].get<std::int64_t>();
    spans[at] = {0, kernel[k], dilation, x.size(k + 2), paddings[k].low, paddings[k].high};
    steps[at] = strides[k];
    counts[at] = window_count(x.size(k + 2), {paddings[k].low, paddings[k].high + tail}, kernel[k],
                              strides[k], dilation);
    out.push_back(counts[at]);
  }
  Array y(out);
  const std::int64_t area = spans[0].size * spans[1].size * spans[2].size;
  double* into = y.data.data();
  for (std::int64_t map = 0; map < x.size(0) * x.size(1); ++map) {
    const double* from = x.data.data() + map * area;
    for (std::int64_t d = 0; d < counts[0]; ++d) {
      for (std::int64_t h = 0; h < counts[1]; ++h) {
        for (std::int64_t w = 0; w < counts[2]; ++w) {
          spans[0].first = d * steps[0] - spans[0].low;
          spans[1].first = h * steps[1] - spans[1].low;
          spans[2].first = w * steps[2] - spans[2].low;
          *into++ = maximum ? largest(spans, from, settings["outside"]) : mean(spans, from, settings);
        }
      }
    }
  }
  return {y};
}

}  // namespace tieout
