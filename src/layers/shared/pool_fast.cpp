#include <algorithm>
#include <limits>

#include "base/parallel.h"
#include "layers/shared/image_layout.h"
#include "layers/shared/outputs.h"
#include "layers/shared/pool.h"
#include "layers/shared/spatial.h"

namespace tieout {

namespace {

struct Pooling {
  ImageLayout x;
  ImageLayout y;
  Three kernel;
  Three strides;
  Three dilation{1, 1, 1};
  Three low{0, 0, 0};  // padding
  Three high{0, 0, 0};
  bool maximum = false;
  // Maximum: what counts outside the image.
  std::optional<double> outside{};
  // Mean: the divisor, when it is fixed; do the cells of the padding count?
  std::optional<double> divisor{};
  bool count_padding = false;
};

std::optional<Pooling> read(const Evaluation& e) {
  const auto layout = image_layout(e);
  if (!layout) return std::nullopt;
  const Json& settings = e.layer.settings;
  Pooling p{*layout, *layout, three(e.integers("kernel"), 1), three(e.integers("strides"), 1)};
  p.maximum = settings.contains("outside");
  std::vector<std::int64_t> tail(layout->spatial_rank, 0);
  if (p.maximum) {
    p.dilation = three(e.integers("dilation"), 1);
    if (!settings["outside"].is_null()) p.outside = settings["outside"].get<double>();
  } else {
    tail = e.integers("tail");
    p.count_padding = e.flag("count_padding");
    if (!settings["divisor"].is_null()) p.divisor = static_cast<double>(e.integer("divisor"));
  }
  Three out{1, 1, 1};
  const auto rank = static_cast<std::ptrdiff_t>(layout->spatial_rank);
  const auto paddings = pool_padding(settings, {layout->sizes.end() - rank, layout->sizes.end()});
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    const std::size_t at = k + 3 - paddings.size();
    p.low[at] = paddings[k].low;
    p.high[at] = paddings[k].high;
    out[at] = window_count(layout->sizes[at], {paddings[k].low, paddings[k].high + tail[k]}, p.kernel[at],
                           p.strides[at], p.dilation[at]);
  }
  p.y = layout->with(layout->channels, out);
  return p;
}

struct Window {
  std::array<Taps, 3> taps;
  std::int64_t inside;  // number of cells in the image
  double divisor;       // of a mean
};

Window window(const Pooling& p, std::int64_t at) {
  const Three place{at / (p.y.sizes[1] * p.y.sizes[2]), at / p.y.sizes[2] % p.y.sizes[1], at % p.y.sizes[2]};
  Window w{{}, 1, 1};
  std::int64_t counted = 1;
  for (std::size_t k = 0; k < 3; ++k) {
    w.taps[k] = taps_inside(place[k], p.strides[k], p.low[k], p.kernel[k], p.dilation[k], p.x.sizes[k]);
    w.inside *= w.taps[k].last - w.taps[k].first;
    // Cells in the image or its padding, not in the tail behind it.
    counted *= std::max<std::int64_t>(std::min(w.taps[k].place + p.kernel[k], p.x.sizes[k] + p.high[k]) -
                                          std::max(w.taps[k].place, -p.low[k]),
                                      0);
  }
  w.divisor = p.divisor.value_or(static_cast<double>(p.count_padding ? counted : w.inside));
  return w;
}

template <typename See>
void each_cell(const Pooling& p, const Window& w, See see) {
  for (std::int64_t a = w.taps[0].first; a < w.taps[0].last; ++a) {
    const std::int64_t plane = (w.taps[0].place + a * p.dilation[0]) * p.x.sizes[1];
    for (std::int64_t b = w.taps[1].first; b < w.taps[1].last; ++b) {
      const std::int64_t row = (plane + w.taps[1].place + b * p.dilation[1]) * p.x.sizes[2] + w.taps[2].place;
      for (std::int64_t c = w.taps[2].first; c < w.taps[2].last; ++c) see(row + c * p.dilation[2]);
    }
  }
}

// One output cell of `count` channels that lie beside each other, cells `stride` apart.
void pool_cell(const Pooling& p, const Window& w, const double* x, std::int64_t stride, std::int64_t count,
               double* y) {
  if (p.maximum) {
    std::fill_n(y, count, -std::numeric_limits<double>::infinity());
    each_cell(p, w, [&](std::int64_t cell) {
      const double* from = x + cell * stride;
      for (std::int64_t c = 0; c < count; ++c) y[c] = std::max(y[c], from[c]);
    });
    if (p.outside && w.inside < volume(p.kernel)) {
      for (std::int64_t c = 0; c < count; ++c) y[c] = std::max(y[c], *p.outside);
    }
    return;
  }
  std::fill_n(y, count, 0.0);
  each_cell(p, w, [&](std::int64_t cell) {
    const double* from = x + cell * stride;
    for (std::int64_t c = 0; c < count; ++c) y[c] += from[c];
  });
  for (std::int64_t c = 0; c < count; ++c) y[c] /= w.divisor;
}

}  // namespace

std::optional<std::vector<Array>> compute_pool_fast(const Evaluation& e) {
  const auto p = read(e);
  if (!p) return std::nullopt;
  Array y(p->y.shape());
  const double* x = e.inputs[0]->data.data();
  const std::int64_t cells = p->y.cells();
  const std::int64_t image = p->x.channels * p->x.cells();
  const std::int64_t channels = p->x.channels;
  if (p->x.channels_last) {
    parallel_for(p->x.images * cells, 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t at = first; at < last; ++at) {
        pool_cell(*p, window(*p, at % cells), x + at / cells * image, channels, channels,
                  y.data.data() + at * channels);
      }
    });
  } else {
    parallel_for(p->x.images * channels, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t map = first; map < last; ++map) {
        for (std::int64_t at = 0; at < cells; ++at) {
          pool_cell(*p, window(*p, at), x + map * p->x.cells(), 1, 1, y.data.data() + map * cells + at);
        }
      }
    });
  }
  return one_output(std::move(y));
}

}  // namespace tieout
