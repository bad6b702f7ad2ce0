#include "layers/shared/convolution_fast.h"

#include <algorithm>

#include "base/parallel.h"
#include "layers/shared/image_layout.h"
#include "layers/shared/outputs.h"
#include "layers/shared/spatial.h"
#include "tensor/product.h"

// The matrix has a row for each output cell of each image and a column for each filter; they are summed over
// (input channel, tap), which is how the kernel lies: o i s....

namespace tieout {

namespace {

// A piece of the unfolded image has all taps of a channel; above this it would be large itself.
constexpr std::int64_t most_taps = 1 << 14;

struct Convolution {
  ImageLayout x;
  ImageLayout y;
  Three kernel;
  Three strides;
  Three dilation;
  Three low;  // the padding in front
  bool padded = false;
  std::vector<std::int64_t> offsets{};  // of each tap's cell from that of tap 0

  [[nodiscard]] std::int64_t cell(std::int64_t d, std::int64_t h, std::int64_t w) const {
    return (d * x.sizes[1] + h) * x.sizes[2] + w;
  }

  // Calls see(tap, cell) for each tap of the window that makes output cell `at` and lies inside the image.
  template <typename See>
  void each_tap(std::int64_t at, See see) const {
    const Three place{at / (y.sizes[1] * y.sizes[2]), at / y.sizes[2] % y.sizes[1], at % y.sizes[2]};
    std::array<Taps, 3> taps{};
    bool inside = true;
    for (std::size_t k = 0; k < 3; ++k) {
      taps[k] = taps_inside(place[k], strides[k], low[k], kernel[k], dilation[k], x.sizes[k]);
      inside = inside && taps[k].last - taps[k].first == kernel[k];
    }
    if (inside) {
      const std::int64_t origin = cell(taps[0].place, taps[1].place, taps[2].place);
      std::int64_t tap = 0;
      for (const std::int64_t offset : offsets) see(tap++, origin + offset);
      return;
    }
    for (std::int64_t a = taps[0].first; a < taps[0].last; ++a) {
      for (std::int64_t b = taps[1].first; b < taps[1].last; ++b) {
        const std::int64_t row =
            cell(taps[0].place + a * dilation[0], taps[1].place + b * dilation[1], taps[2].place);
        const std::int64_t tap = (a * kernel[1] + b) * kernel[2];
        for (std::int64_t c = taps[2].first; c < taps[2].last; ++c) see(tap + c, row + c * dilation[2]);
      }
    }
  }
};

std::optional<Convolution> read(const Evaluation& e) {
  const auto layout = image_layout(e);
  const Three kernel = three(e.integers("kernel"), 1);
  const bool small = std::ranges::all_of(kernel, [](std::int64_t size) { return size <= most_taps; }) &&
                     volume(kernel) <= most_taps;
  if (!layout || !small || e.layer.settings.at("padding_mode") != "zeros") return std::nullopt;
  Convolution c{*layout,   *layout, kernel, three(e.integers("strides"), 1), three(e.integers("dilation"), 1),
                {0, 0, 0}, false};
  Three out{1, 1, 1};
  const auto paddings = paddings_from(e.layer.settings);
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    const std::size_t at = k + 3 - paddings.size();
    c.low[at] = paddings[k].low;
    c.padded = c.padded || paddings[k] != Padding{};
    out[at] = window_count(layout->sizes[at], paddings[k], c.kernel[at], c.strides[at], c.dilation[at]);
  }
  c.y = layout->with(e.integer("filters"), out);
  for (std::int64_t a = 0; a < kernel[0]; ++a) {
    for (std::int64_t b = 0; b < kernel[1]; ++b) {
      for (std::int64_t w = 0; w < kernel[2]; ++w)
        c.offsets.push_back(c.cell(a * c.dilation[0], b * c.dilation[1], w * c.dilation[2]));
    }
  }
  return c;
}

// Part of a panel of the unfolded image: the channels [channel, channel + count) with all their taps, for
// `width` lines.
struct Panel {
  const Convolution& c;
  std::int64_t channel;
  std::int64_t count;
  std::int64_t width;
  double* into;

  // Output cells [w, w + run) of one output row are lines `at` and following; x is the row's image. Taps that
  // lie in the padding are left out.
  void add_run(std::int64_t row, std::int64_t w, std::int64_t run, std::int64_t at, const double* x) const {
    const Taps depths = taps(0, row / c.y.sizes[1]);
    const Taps heights = taps(1, row % c.y.sizes[1]);
    for (std::int64_t k = 0; k < c.kernel[2]; ++k) {
      // The column that the tap reads for output column j is j * stride + shift.
      const std::int64_t shift = k * c.dilation[2] - c.low[2];
      const std::int64_t first = std::max(w, shift < 0 ? (-shift + c.strides[2] - 1) / c.strides[2] : 0);
      const std::int64_t room = c.x.sizes[2] - 1 - shift;
      const std::int64_t last = std::min(w + run, room < 0 ? 0 : room / c.strides[2] + 1);
      if (first >= last) continue;
      for (std::int64_t a = depths.first; a < depths.last; ++a) {
        for (std::int64_t b = heights.first; b < heights.last; ++b) {
          const std::int64_t cell = c.cell(depths.place + a * c.dilation[0],
                                           heights.place + b * c.dilation[1], first * c.strides[2] + shift);
          const std::int64_t tap = (a * c.kernel[1] + b) * c.kernel[2] + k;
          copy(x + cell * c.x.cell_stride(), last - first, into + tap * width + at + first - w);
        }
      }
    }
  }

 private:
  [[nodiscard]] Taps taps(std::size_t k, std::int64_t place) const {
    return taps_inside(place, c.strides[k], c.low[k], c.kernel[k], c.dilation[k], c.x.sizes[k]);
  }

  // One tap of `cells` neighbouring output cells, all channels; the longer run innermost.
  void copy(const double* from, std::int64_t cells, double* to) const {
    const std::int64_t cell_step = c.strides[2] * c.x.cell_stride();
    const std::int64_t channel_step = c.x.channel_stride();
    const std::int64_t row = volume(c.kernel) * width;
    if (count > cells) {
      for (std::int64_t j = 0; j < cells; ++j) {
        for (std::int64_t i = 0; i < count; ++i) to[i * row + j] = from[j * cell_step + i * channel_step];
      }
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t j = 0; j < cells; ++j) to[i * row + j] = from[j * cell_step + i * channel_step];
    }
  }
};

// The channels [channel, channel + count) of the unfolded image; line r is output cell r % cells of image
// r / cells.
Lines unfolded(const Convolution& c, const double* x, std::int64_t channel) {
  const std::int64_t lines = c.x.images * c.y.cells();
  const std::int64_t taps = volume(c.kernel);
  // Where each cell is read once, and all its channels together, the image is the matrix.
  if (taps == 1 && c.x.channels_last && !c.padded && c.strides == Three{1, 1, 1})
    return matrix_lines(x + channel, lines, c.x.channels);
  const auto pack = [=](std::int64_t first, std::int64_t width, std::int64_t from, std::int64_t depth,
                        double* into) {
    const Panel panel{c, channel + from / taps, depth / taps, width, into};
    if (c.padded || first + width > lines) std::fill_n(into, width * depth, 0.0);
    const std::int64_t last = std::min(first + width, lines);
    const std::int64_t rows = c.y.sizes[0] * c.y.sizes[1];
    for (std::int64_t line = first; line < last;) {
      const std::int64_t row = line / c.y.sizes[2];
      const std::int64_t w = line % c.y.sizes[2];
      const std::int64_t run = std::min(c.y.sizes[2] - w, last - line);
      const double* image =
          x + row / rows * c.x.channels * c.x.cells() + panel.channel * c.x.channel_stride();
      panel.add_run(row % rows, w, run, line - first, image);
      line += run;
    }
  };
  return {lines, pack};
}

// Writes a tile of the product to filters [filter, ...) of y.
void store(const ProductTile& tile, const ImageLayout& layout, std::int64_t filter, const double* bias,
           double* y) {
  const std::int64_t cells = layout.cells();
  const double* from = tile.values;
  if (layout.channels_last) {
    for (std::int64_t i = 0; i < tile.rows; ++i, from += tile.stride) {
      double* into = y + (tile.row + i) * layout.channels + filter + tile.column;
      for (std::int64_t j = 0; j < tile.columns; ++j) into[j] = from[j] + bias[tile.column + j];
    }
    return;
  }
  for (std::int64_t j = 0; j < tile.columns; ++j) {
    const std::int64_t channel = filter + tile.column + j;
    for (std::int64_t i = 0; i < tile.rows; ++i) {
      const std::int64_t line = tile.row + i;
      y[(line / cells * layout.channels + channel) * cells + line % cells] =
          from[i * tile.stride + j] + bias[tile.column + j];
    }
  }
}

// One filter and one channel, both lying in one piece.
void convolve_map(const Convolution& c, const double* x, const double* kernel, double bias, double* y) {
  for (std::int64_t at = 0; at < c.y.cells(); ++at) {
    double sum = bias;
    c.each_tap(at, [&](std::int64_t tap, std::int64_t cell) { sum += kernel[tap] * x[cell]; });
    y[at] = sum;
  }
}

// All channels of one output cell, lying beside each other; `kernel` is s... (c m).
void convolve_cell(const Convolution& c, std::int64_t at, const double* x, const double* kernel,
                   const double* bias, double* y) {
  const std::int64_t filters = c.y.channels;
  const std::int64_t multiplier = filters / c.x.channels;
  std::copy_n(bias, filters, y);
  c.each_tap(at, [&](std::int64_t tap, std::int64_t cell) {
    const double* weights = kernel + tap * filters;
    const double* from = x + cell * c.x.channels;
    if (multiplier == 1) {
      for (std::int64_t o = 0; o < filters; ++o) y[o] += weights[o] * from[o];
      return;
    }
    for (std::int64_t o = 0; o < filters; ++o) y[o] += weights[o] * from[o / multiplier];
  });
}

std::vector<Array> depthwise(const Evaluation& e, const Convolution& c) {
  Array y(c.y.shape());
  const double* x = e.inputs[0]->data.data();
  const double* kernel = e.parameter("kernel").data.data();
  const double* bias = e.parameter("bias").data.data();
  const std::int64_t filters = c.y.channels;
  const std::int64_t taps = volume(c.kernel);
  if (!c.x.channels_last) {
    parallel_for(c.x.images * filters, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t map = first; map < last; ++map) {
        const std::int64_t o = map % filters;
        const std::int64_t channel = map / filters * c.x.channels + o / (filters / c.x.channels);
        convolve_map(c, x + channel * c.x.cells(), kernel + o * taps, bias[o],
                     y.data.data() + map * c.y.cells());
      }
    });
    return one_output(std::move(y));
  }
  std::vector<double> by_tap(static_cast<std::size_t>(taps * filters));
  for (std::int64_t o = 0; o < filters; ++o) {
    for (std::int64_t tap = 0; tap < taps; ++tap)
      by_tap[static_cast<std::size_t>(tap * filters + o)] = kernel[o * taps + tap];
  }
  const std::int64_t cells = c.y.cells();
  parallel_for(c.x.images * cells, 16, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t at = first; at < last; ++at) {
      convolve_cell(c, at % cells, x + at / cells * c.x.channels * c.x.cells(), by_tap.data(), bias,
                    y.data.data() + at * filters);
    }
  });
  return one_output(std::move(y));
}

}  // namespace

std::optional<std::vector<Array>> convolve_fast(const Evaluation& e) {
  const auto c = read(e);
  if (!c) return std::nullopt;
  const std::int64_t groups = e.integer("groups");
  const std::int64_t inner = c->x.channels / groups;
  if (inner == 1 && groups > 1) return depthwise(e, *c);
  const std::int64_t filters = c->y.channels / groups;
  const std::int64_t taps = volume(c->kernel);
  const double* kernel = e.parameter("kernel").data.data();
  const double* bias = e.parameter("bias").data.data();
  Array y(c->y.shape());
  // Several groups share out the threads, else one group's product does.
  parallel_for(groups, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t group = first; group < last; ++group) {
      const std::int64_t filter = group * filters;
      multiply(unfolded(*c, e.inputs[0]->data.data(), group * inner),
               matrix_lines(kernel + filter * inner * taps, filters, inner * taps), inner * taps, taps,
               [&](const ProductTile& tile) { store(tile, c->y, filter, bias + filter, y.data.data()); });
    }
  });
  return one_output(std::move(y));
}

std::optional<std::vector<Array>> convolve_depthwise_fast(const Evaluation& e) {
  const auto c = read(e);
  if (!c) return std::nullopt;
  return depthwise(e, *c);
}

}  // namespace tieout
