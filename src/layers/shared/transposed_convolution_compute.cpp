#include <algorithm>

#include "layers/shared/convolution_settings.h"
#include "layers/shared/image_layout.h"
#include "layers/shared/transposed_convolution.h"

namespace tieout {

namespace {

struct Geometry {
  Three input;
  Three output;
  Three kernel;
  Three strides;
  Three dilation;
  Three cut;  // at the low end
};

// Where along `axis` the cell `at` of the input goes under the cell `tap` of the kernel; -1: cut off.
std::int64_t place(const Geometry& g, std::size_t axis, std::int64_t at, std::int64_t tap) {
  const std::int64_t to = at * g.strides[axis] + tap * g.dilation[axis] - g.cut[axis];
  return to >= 0 && to < g.output[axis] ? to : -1;
}

// y += each cell of x times the kernel, for one channel of each.
void scatter(const Geometry& g, const double* x, const double* kernel, double* y) {
  for (std::int64_t a = 0; a < g.kernel[0]; ++a) {
    for (std::int64_t b = 0; b < g.kernel[1]; ++b) {
      for (std::int64_t c = 0; c < g.kernel[2]; ++c) {
        const double weight = *kernel++;
        for (std::int64_t d = 0; d < g.input[0]; ++d) {
          const std::int64_t depth = place(g, 0, d, a);
          for (std::int64_t h = 0; depth >= 0 && h < g.input[1]; ++h) {
            const std::int64_t row = place(g, 1, h, b);
            if (row < 0) continue;
            const double* from = x + (d * g.input[1] + h) * g.input[2];
            double* into = y + (depth * g.output[1] + row) * g.output[2];
            for (std::int64_t w = 0; w < g.input[2]; ++w) {
              const std::int64_t column = place(g, 2, w, c);
              if (column >= 0) into[column] += weight * from[w];
            }
          }
        }
      }
    }
  }
}

}  // namespace

std::vector<Array> compute_transposed_convolution(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& kernel = e.parameter("kernel");
  const Array& bias = e.parameter("bias");
  const auto sizes = e.integers("kernel");
  const auto strides = e.integers("strides");
  const auto dilation = e.integers("dilation");
  const auto cut = paddings_from(e.layer.settings);
  const std::int64_t channels = x.size(1);
  const std::int64_t filters = e.integer("filters");
  Shape out{x.size(0), filters};
  std::vector<std::int64_t> low;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const std::int64_t whole = (x.size(k + 2) - 1) * strides[k] + (sizes[k] - 1) * dilation[k] + 1;
    out.push_back(whole - cut[k].low - cut[k].high);
    low.push_back(cut[k].low);
  }
  const Geometry g{three({x.shape.begin() + 2, x.shape.end()}, 1),
                   three({out.begin() + 2, out.end()}, 1),
                   three(sizes, 1),
                   three(strides, 1),
                   three(dilation, 1),
                   three(low, 0)};
  Array y(out);
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::int64_t o = 0; o < filters; ++o) {
      double* into = y.data.data() + (n * filters + o) * volume(g.output);
      std::fill(into, into + volume(g.output), bias.data[static_cast<std::size_t>(o)]);
      for (std::int64_t i = 0; i < channels; ++i) {
        scatter(g, x.data.data() + (n * channels + i) * volume(g.input),
                kernel.data.data() + (i * filters + o) * volume(g.kernel), into);
      }
    }
  }
  return {y};
}

}  // namespace tieout
