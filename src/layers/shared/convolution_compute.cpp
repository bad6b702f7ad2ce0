#include "layers/shared/convolution_compute.h"

#include <algorithm>

#include "layers/shared/image_layout.h"
#include "layers/shared/pad.h"
#include "layers/shared/spatial.h"

namespace tieout {

namespace {

struct Geometry {
  Three input;
  Three output;
  Three kernel;
  Three strides;
  Three dilation;
};

// y[output positions] += sum over kernel positions of kernel x input, for one channel of each.
void accumulate(const Geometry& g, const double* x, const double* kernel, double* y) {
  for (std::int64_t a = 0; a < g.kernel[0]; ++a) {
    for (std::int64_t b = 0; b < g.kernel[1]; ++b) {
      for (std::int64_t c = 0; c < g.kernel[2]; ++c) {
        const double weight = *kernel++;
        for (std::int64_t d = 0; d < g.output[0]; ++d) {
          for (std::int64_t h = 0; h < g.output[1]; ++h) {
            const std::int64_t row =
                (d * g.strides[0] + a * g.dilation[0]) * g.input[1] + h * g.strides[1] + b * g.dilation[1];
            const double* from = x + row * g.input[2] + c * g.dilation[2];
            double* into = y + (d * g.output[1] + h) * g.output[2];
            for (std::int64_t w = 0; w < g.output[2]; ++w) into[w] += weight * from[w * g.strides[2]];
          }
        }
      }
    }
  }
}

std::vector<Array> convolve(const Evaluation& e, std::int64_t groups) {
  const Array x = pad_spatial(*e.inputs[0], paddings_from(e.layer.settings),
                              e.layer.settings.at("padding_mode").get<std::string>(), 0.0);
  const Array& kernel = e.parameter("kernel");
  const Array& bias = e.parameter("bias");
  const auto sizes = e.integers("kernel");
  const auto strides = e.integers("strides");
  const auto dilation = e.integers("dilation");
  const std::int64_t filters = e.integer("filters");
  Shape out{x.size(0), filters};
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    out.push_back(window_count(x.size(k + 2), {}, sizes[k], strides[k], dilation[k]));
  }
  const Geometry g{three({x.shape.begin() + 2, x.shape.end()}, 1), three({out.begin() + 2, out.end()}, 1),
                   three(sizes, 1), three(strides, 1), three(dilation, 1)};
  Array y(out);
  const std::int64_t channels = x.size(1);
  const std::int64_t inner = channels / groups;
  const std::int64_t filters_of_group = filters / groups;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::int64_t o = 0; o < filters; ++o) {
      double* into = y.data.data() + (n * filters + o) * volume(g.output);
      std::fill(into, into + volume(g.output), bias.data[static_cast<std::size_t>(o)]);
      for (std::int64_t i = 0; i < inner; ++i) {
        const std::int64_t channel = o / filters_of_group * inner + i;
        accumulate(g, x.data.data() + (n * channels + channel) * volume(g.input),
                   kernel.data.data() + (o * inner + i) * volume(g.kernel), into);
      }
    }
  }
  return {y};
}

}  // namespace

std::vector<Array> compute_convolution(const Evaluation& evaluation) {
  return convolve(evaluation, evaluation.integer("groups"));
}

// kernel c m s... is o 1 s... with o = c * m + j.
std::vector<Array> compute_depthwise_convolution(const Evaluation& evaluation) {
  return convolve(evaluation, evaluation.inputs[0]->size(1));
}

}  // namespace tieout
